// Every address of the original's dashboard opens, but for those of areas that are not there.

import assert from "node:assert/strict"
import { fileURLToPath } from "node:url"
import { ADMIN, adminOf, call, story } from "../browser/harness.mjs"
import { NOT_THERE, addressesOfPage, filled, records } from "./addresses.mjs"

const FOLDER = fileURLToPath(new URL("../../target/dashboard", import.meta.url))

/** What the dashboard shows in the place of a page. */
const ERROR_PAGE = /There is no page at this address|An error occurred|An unexpected error/

/** Flags of countries, which the dashboard loads from elsewhere. */
const FLAGS = "https://cdn.jsdelivr.net/gh/lipis/flag-icons/"

story(
  "dashboard opens at all of its addresses",
  async (visitor) => {
    const { page, baseUrl } = visitor
    const admin = await adminOf(baseUrl)
    const { api_keys } = await admin("GET", "/admin/api-keys?type=publishable&order=created_at")
    const web = api_keys.find((/** @type {any} */ it) => it.title.includes("Web")) ?? api_keys[0]
    const ids = await records(admin, call(baseUrl, { "x-publishable-api-key": web.token }))
    await visitor.visit("/dashboard/login")
    await page.locator("input[name=email]").fill(ADMIN.email)
    await page.locator("input[name=password]").fill(ADMIN.password)
    await page.keyboard.press("Enter")
    await page.waitForURL("**/dashboard/orders")
    const addresses = await page.evaluate(addressesOfPage)
    assert.ok(addresses.length > 200, `${addresses.length} addresses`)
    const broken = []
    for (const address of addresses) {
      await page.goto(`/dashboard${filled(address, ids)}`)
      await page.waitForLoadState("networkidle")
      const text = await page.locator("body").innerText()
      if (text.trim() === "" || ERROR_PAGE.test(text)) broken.push(address)
    }
    const excused = broken.filter((it) => NOT_THERE.some((area) => it === area || it.startsWith(`${area}/`)))
    console.log(`${addresses.length - broken.length} of ${addresses.length} addresses open; not there: ${excused.join(" ")}`)
    assert.deepEqual(broken.filter((it) => !excused.includes(it)), [])
    // Of what it logs and throws because areas are not there, its pages have shown what matters.
    visitor.faults = visitor.faults.filter((it) => it.includes(": another origin: ") && !it.includes(FLAGS))
  },
  ["--dashboard", FOLDER],
)
