// A served Atoll as a process of its own, for tests in JavaScript.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const BINARY = process.env.ATOLL_BINARY ?? fileURLToPath(new URL("../../target/debug/atoll", import.meta.url))

/**
 * Serves a store in memory, at a port of its own.
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
export async function start(args, env) {
  const child = spawn(BINARY, ["serve", "--data", ":memory:", "--listen", "127.0.0.1:0", ...args], {
    env: { ...process.env, ...env, NO_COLOR: "1" },
    stdio: ["ignore", "ignore", "pipe"],
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
  const stop = async () => {
    child.kill("SIGTERM")
    await once(child, "exit")
  }
  return { baseUrl, stop }
}
