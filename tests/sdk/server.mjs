// A served Atoll for one test file, with its admin logged in through the unmodified SDK.

import assert from "node:assert/strict"
import sdk from "@medusajs/js-sdk"
import { methods } from "./methods.mjs"
import { start } from "./process.mjs"

// The package is CommonJS: its default export is a property of its default import.
const Medusa = /** @type {typeof import("@medusajs/js-sdk").default} */ (
  /** @type {any} */ (sdk).default ?? sdk
)
const ADMIN = { email: "admin@test.dev", password: "supersecret" }

/** Starts a server in memory. */
export async function serve() {
  const { baseUrl, stop } = await start([], {
    ATOLL_ADMIN_EMAIL: ADMIN.email,
    ATOLL_ADMIN_PASSWORD: ADMIN.password,
  })
  const admin = client(baseUrl)
  const called = count(admin.admin)
  await admin.auth.login("user", "emailpass", ADMIN)
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
