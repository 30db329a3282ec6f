// A served Atoll for one test file, with its admin logged in through the unmodified SDK.

import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { createInterface } from "node:readline"
import sdk from "@medusajs/js-sdk"
import { methods } from "./methods.mjs"

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
 * @param {object} face
 */
export function count(face) {
  /** @type {Set<string>} */
  const called = new Set()
  for (const [full, { owner, name }] of methods(face)) {
    const call = owner[name]
    owner[name] = (/** @type {unknown[]} */ ...args) => {
      called.add(full)
      return call.apply(owner, args)
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

/**
 * The status of a call that must be refused.
 * @param {Promise<unknown>} call
 */
export async function refused(call) {
  try {
    await call
  } catch (error) {
    return /** @type {{ status?: number }} */ (error).status
  }
  assert.fail("it was not refused")
}
