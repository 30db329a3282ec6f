// `/docs`: the API reference, to read, to search and to try.

import assert from "node:assert/strict"
import { adminOf, story } from "./harness.mjs"

/** What Scalar does itself, and no setting of it changes: rules of axe. @type {string[]} */
const OF_SCALAR = ["color-contrast"]

story("reference is readable", async (visitor) => {
  const page = await visitor.visit("/docs")
  await page.getByRole("heading", { name: "Logging in" }).first().waitFor()
  await visitor.look("docs")
})

story("operation is readable", async (visitor) => {
  const page = await visitor.visit("/docs#tag/store-products/GET/store/products")
  await page.getByRole("button", { name: "Test Request" }).first().waitFor()
  await visitor.look("docs-operation", OF_SCALAR)
})

story("search finds texts", async (visitor) => {
  const page = await visitor.visit("/docs")
  await page.getByRole("heading", { name: "Logging in" }).first().waitFor()
  await page.getByRole("button", { name: "Open Search" }).first().click()
  await page.keyboard.type("authorises its payment")
  await page.getByRole("option", { name: "Completes a cart" }).first().waitFor()
})

story("request is tried with a key that stays in the page", async (visitor) => {
  const { api_keys } = await (await adminOf(visitor.baseUrl))("GET", "/admin/api-keys?type=publishable")
  const page = await visitor.visit("/docs#tag/store-products/GET/store/products")
  await page.getByRole("button", { name: "Test Request" }).first().click()
  const client = page.getByRole("dialog")
  await client.getByRole("button", { name: "Authentication" }).click()
  await client.getByRole("textbox", { name: "Value" }).first().click()
  await page.keyboard.type(api_keys[0].token)
  const answered = page.waitForResponse((it) => it.url().includes("/store/products"))
  await client.getByRole("button", { name: "Send" }).first().click()
  assert.equal((await answered).status(), 200)
  const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie]))
  assert.doesNotMatch(kept, /pk_/)
})
