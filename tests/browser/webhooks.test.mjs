// The pages of webhooks, with a receiver on this machine: the test button, what is delivered, and the secret.

import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import { adminOf, story, until } from "./harness.mjs"

/** What the receiver got. @type {{ headers: import("node:http").IncomingHttpHeaders, body: string }[]} */
const got = []
let status = 204

const receiver = createServer(async (request, response) => {
  let body = ""
  for await (const chunk of request) body += chunk
  got.push({ headers: request.headers, body })
  response.writeHead(status).end(status === 204 ? "" : "no room")
})
await new Promise((listening) => receiver.listen(0, "127.0.0.1", () => listening(undefined)))
receiver.unref()
const { port } = /** @type {import("node:net").AddressInfo} */ (receiver.address())

story(
  "a webhook is made, tested, and told what happens",
  async (visitor) => {
    const admin = await adminOf(visitor.baseUrl)
    const page = await visitor.logIn()
    await visitor.visit("/app/webhooks")
    await page.getByRole("link", { name: "New webhook" }).click()
    await page.getByLabel("Address").fill(`http://127.0.0.1:${port}/atoll`)
    await page.getByLabel("What it is for").fill("Warehouse")
    await page.getByLabel("Events").fill("customer-group.*")
    await visitor.look("webhook-new")
    await visitor.press("Create")
    const secret = await page.locator("code", { hasText: "whsec_" }).innerText()
    await visitor.look("webhook-secret")
    await page.getByRole("link", { name: "To the webhook" }).click()
    await visitor.press("Send a test")
    await page.getByText("Done.").waitFor()

    status = 500
    await visitor.press("Send a test")
    await page.getByText("500 Internal Server Error no room").waitFor()
    // The browser says so, too.
    visitor.faults = visitor.faults.filter((it) => !it.includes("status of 400"))

    await admin("POST", "/admin/customer-groups", { name: "Trade" })
    const { pathname } = new URL(page.url())
    await until(async () => {
      await visitor.visit(pathname)
      return (await page.getByRole("row").filter({ hasText: "customer-group.created" }).count()) > 0
    })
    await visitor.look("webhook")
    await visitor.visit("/app/webhooks")
    await visitor.look("webhooks")

    const { headers, body } = got.at(-1) ?? assert.fail("nothing was sent")
    const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`
    const key = Buffer.from(secret.replace("whsec_", ""), "base64")
    assert.equal(headers["webhook-signature"], `v1,${createHmac("sha256", key).update(signed).digest("base64")}`)
    assert.equal(JSON.parse(body).type, "customer-group.created")
  },
  ["--set", "webhooks.allow_private=127.0.0.1", "--set", "webhooks.allow_http=true"],
)
