// The methods of the SDK, and the requests that they send.

/** Stands for an id in the path of a request. */
export const ID = "_id_"

/** What a method is called with where an id would be no part of any path. */
const WORDS = new Map(["addRules", "updateRules", "removeRules"].map((it) => [`promotion.${it}`, [ID, "rules"]]))

// Only browsers have it, and uploads ask whether their body is one.
Object.assign(globalThis, { FileList: class {} })

const OF_EVERY_OBJECT = new Set(Object.getOwnPropertyNames(Object.prototype))

/**
 * The methods of one face of the SDK (`sdk.admin`, `sdk.store`, `sdk.auth`) by name, `cart.create`, without those of the
 * client that it holds.
 * @param {object} face
 * @returns {Map<string, { owner: any, name: string }>}
 */
export function methods(face) {
  const found = new Map()
  for (const [name, member] of Object.entries(face)) {
    if (typeof member === "function" && !name.endsWith("_")) found.set(name, { owner: face, name })
    if (typeof member !== "object" || name === "client" || name === "config") continue
    const names = [...Object.keys(member), ...Object.getOwnPropertyNames(Object.getPrototypeOf(member))]
    for (const method of names) {
      if (typeof member[method] !== "function" || OF_EVERY_OBJECT.has(method)) continue
      found.set(`${name}.${method}`, { owner: member, name: method })
    }
  }
  return found
}

/**
 * The requests that a method sends, as `POST /store/carts/_id_`, when it is called with ids; none where it asks no server.
 * @param {any} client what the SDK sends requests through
 * @param {string} full the name of the method with its resource
 * @param {{ owner: any, name: string }} method
 */
export async function requests(client, full, { owner, name }) {
  /** @type {string[]} */
  const sent = []
  const { fetch, fetchStream } = client
  // Answers hold whatever is read of them: the second request of a method stands on the answer to the first.
  const answer = new Proxy({}, { get: (_, key) => (key === "then" ? undefined : { id: ID }) })
  client.fetch = async (/** @type {string} */ path, /** @type {{ method?: string }} */ init = {}) => {
    sent.push(`${init.method ?? "GET"} ${path.split("?")[0]}`)
    return answer
  }
  client.fetchStream = client.fetch
  try {
    // Uploads look into their body before they send it.
    for (const argument of [ID, { file: new Blob(), files: [] }]) {
      if (sent.length > 0) break
      // A method that does not find what it needs in an answer has sent its request all the same.
      await Promise.resolve(owner[name](...(WORDS.get(full) ?? []), ...Array(6).fill(argument))).catch(() => {})
    }
  } finally {
    client.fetch = fetch
    client.fetchStream = fetchStream
  }
  return sent
}
