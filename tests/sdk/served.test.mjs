// COMPAT.md names each method of the public SDK whose route Atoll does not serve, and no other.
// `UPDATE_EXPECT=1 cargo xtask sdk` writes the list.

import assert from "node:assert/strict"
import { readFile, writeFile } from "node:fs/promises"
import { test } from "node:test"
import { ID, methods, requests } from "./methods.mjs"
import { client, serve } from "./server.mjs"

const COMPAT = new URL("../../COMPAT.md", import.meta.url)
const BEGIN = "<!-- The list of SDK methods: UPDATE_EXPECT=1 cargo xtask sdk -->"
const END = "<!-- The end of the list -->"
const FACES = /** @type {const} */ (["admin", "store", "auth"])

/**
 * Is there a route for this request? An id stands where the route has a parameter, and nowhere else.
 * @param {Record<string, Record<string, unknown>>} paths
 * @param {string} request
 */
function isServed(paths, request) {
  const [method, path] = request.split(" ")
  const parts = path.split("/")
  return Object.entries(paths).some(([template, operations]) => {
    const places = template.split("/")
    // `/auth/{actor_type}/{provider}` takes words, too; a word that another route has for itself is no id.
    const fits = (/** @type {string} */ place, /** @type {number} */ at) =>
      place.startsWith("{") ? parts[at] === ID : place === parts[at]
    return method.toLowerCase() in operations && places.length === parts.length && places.every(fits)
  })
}

test("COMPAT.md names the methods that are not served", async () => {
  const server = await serve()
  try {
    const { paths } = await (await fetch(`${server.baseUrl}/openapi.json`)).json()
    const sdk = client(server.baseUrl)
    const lines = []
    const counts = []
    for (const face of FACES) {
      /** @type {Map<string, string[]>} */
      const missing = new Map()
      const all = methods(sdk[face])
      let nServed = 0
      for (const [name, method] of all) {
        const sent = await requests(sdk.client, name, method)
        // What sends nothing (`auth.logout`, with a token in memory) works without a server.
        if (sent.every((it) => isServed(paths, it))) {
          nServed += 1
          continue
        }
        const [resource, call] = name.includes(".") ? name.split(".") : ["", name]
        missing.set(resource, [...(missing.get(resource) ?? []), call])
      }
      counts.push(`${nServed} of ${all.size} \`${face}\``)
      for (const [resource, calls] of [...missing].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const names = calls.sort().map((it) => `\`${it}\``)
        lines.push(`- \`${[face, resource].filter(Boolean).join(".")}\`: ${names.join(", ")}`)
      }
    }
    const found = [`The routes of ${counts.join(", ")} methods are served; those of these are not:`, "", ...lines].join("\n")
    const text = await readFile(COMPAT, "utf8")
    const [head, rest] = text.split(`${BEGIN}\n`)
    const [stands, tail] = rest.split(`\n${END}`)
    if (process.env.UPDATE_EXPECT) {
      await writeFile(COMPAT, `${head}${BEGIN}\n${found}\n${END}${tail}`)
    } else {
      assert.equal(stands, found, "UPDATE_EXPECT=1 cargo xtask sdk writes the list; read the difference")
    }
  } finally {
    await server.stop()
  }
})

test("the list sees a route that is not there", () => {
  const paths = { "/store/carts/{id}": { get: {}, post: {} } }
  assert.ok(isServed(paths, `GET /store/carts/${ID}`))
  assert.ok(!isServed(paths, `DELETE /store/carts/${ID}`))
  assert.ok(!isServed(paths, `GET /store/carts/batch`))
  assert.ok(!isServed(paths, `GET /store/carts/${ID}/promotions`))
})
