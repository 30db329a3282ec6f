// A served Atoll for one test file, with its admin logged in through the unmodified SDK.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { createInterface } from "node:readline"
import sdk from "@medusajs/js-sdk"

// The package is CommonJS: its default export is a property of its default import.
const Medusa = /** @type {typeof import("@medusajs/js-sdk").default} */ (
  /** @type {any} */ (sdk).default ?? sdk
)
const ADMIN = { email: "admin@test.dev", password: "supersecret" }
const BINARY = process.env.ATOLL_BINARY ?? fileURLToPath(new URL("../../target/debug/atoll", import.meta.url))

/** Starts a server in memory. */
export async function serve() {
  const child = spawn(BINARY, ["serve", "--data", ":memory:", "--listen", "127.0.0.1:0"], {
    env: { ...process.env, ATOLL_ADMIN_EMAIL: ADMIN.email, ATOLL_ADMIN_PASSWORD: ADMIN.password, NO_COLOR: "1" },
    stdio: ["ignore", "inherit", "pipe"],
  })
  let baseUrl = ""
  for await (const line of createInterface({ input: child.stderr })) {
    const base = line.match(/base=(http:\/\/\S+)/)
    if (base) {
      baseUrl = base[1]
      break
    }
  }
  child.stderr.resume()
  const admin = client(baseUrl)
  const called = count(admin.admin)
  await admin.auth.login("user", "emailpass", ADMIN)
  const stop = async () => {
    child.kill("SIGTERM")
    await once(child, "exit")
  }
  return { baseUrl, admin, called, stop }
}

/**
 * Counts the methods that are called, by name.
 * @param {object} api
 */
export function count(api) {
  /** @type {Set<string>} */
  const called = new Set()
  for (const [name, resource] of Object.entries(api)) {
    const methods = [...Object.keys(resource), ...Object.getOwnPropertyNames(Object.getPrototypeOf(resource))]
    for (const method of methods.filter((it) => it !== "constructor" && typeof resource[it] === "function")) {
      const call = resource[method]
      resource[method] = (/** @type {unknown[]} */ ...args) => {
        called.add(`${name}.${method}`)
        return call.apply(resource, args)
      }
    }
  }
  return called
}

/**
 * An SDK that nobody is logged in with.
 * @param {string} baseUrl
 * @param {string} [publishableKey]
 */
export function client(baseUrl, publishableKey) {
  return new Medusa({ baseUrl, publishableKey, auth: { type: "jwt", jwtTokenStorageMethod: "memory" } })
}
