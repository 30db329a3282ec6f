// The pages of the operator: events as they happen, dead letters, verification.

import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer } from "node:net"
import { after } from "node:test"
import { adminOf, story, until } from "./harness.mjs"

/**
 * A mail server, which takes no mail until it is open.
 * @type {{ isOpen: boolean, taken: string[] }}
 */
const mails = { isOpen: false, taken: [] }
const server = createServer((socket) => {
  if (!mails.isOpen) return socket.end("554 closed\r\n")
  let text = ""
  socket.write("220 here\r\n")
  socket.on("data", (bytes) => {
    text += bytes
    // The content of a mail ends with a line that is a point.
    const isContent = text.includes("\r\nDATA\r\n") && !text.endsWith("\r\nDATA\r\n")
    if (isContent && !text.includes("\r\n.\r\n")) return
    const line = text.trimEnd().split("\r\n").at(-1) ?? ""
    if (line === ".") mails.taken.push(text)
    socket.write(line === "DATA" ? "354 go on\r\n" : line === "QUIT" ? "221 bye\r\n" : "250 fine\r\n")
  })
  socket.on("error", () => {})
})
server.listen(0, "127.0.0.1")
await once(server, "listening")
after(() => server.close())

const { port } = /** @type {import("node:net").AddressInfo} */ (server.address())
/** An event is given to a subscriber once, before it is a dead letter. */
const ARGS = [
  "--event-attempts", "1", "--email-provider", "smtp", "--set", "smtp.host=127.0.0.1", "--set", `smtp.port=${port}`,
  "--set", "smtp.tls=none", "--set", "smtp.from=Shop <shop@shop.test>", "--set", "smtp.timeout_s=5",
]

/**
 * Invites somebody, who is sent a mail.
 * @param {string} baseUrl
 * @param {string} email
 */
async function invite(baseUrl, email) {
  await (await adminOf(baseUrl))("POST", "/admin/invites", { email })
}

story("events appear while one looks", async (visitor) => {
  const page = await visitor.logIn()
  await visitor.visit("/app/events")
  const row = page.getByRole("row").filter({ hasText: "invite.created" })
  assert.equal(await row.count(), 0)
  await invite(visitor.baseUrl, "ada@example.com")
  await row.waitFor()
  await visitor.look("events")
}, ARGS)

story("a dead letter is delivered again when the mail server is back", async (visitor) => {
  const page = await visitor.logIn()
  await invite(visitor.baseUrl, "bob@example.com")
  const error = page.getByText("The mail server refuses the e-mail")
  await until(async () => {
    await visitor.visit("/app/dead-letters")
    return (await error.count()) > 0
  })
  await visitor.look("dead-letters")
  mails.isOpen = true
  // The letter of a story before this one may be there earlier than this one's.
  await until(async () => {
    await visitor.visit("/app/dead-letters")
    if ((await page.getByText("No subscriber has given up on an event.").count()) > 0) {
      return mails.taken.some((it) => it.includes("RCPT TO:<bob@example.com>"))
    }
    for (const box of await page.getByRole("checkbox").all()) await box.check()
    await visitor.press("Deliver the chosen again")
    return false
  })
}, ARGS)

story("the shop is verified in the background", async (visitor) => {
  const page = await visitor.logIn()
  await visitor.visit("/app/verify")
  await visitor.press("Verify now")
  await until(async () => {
    await visitor.visit("/app/verify")
    return (await page.getByText("Nothing is wrong").count()) > 0
  })
  await visitor.look("verification")
}, ARGS)
