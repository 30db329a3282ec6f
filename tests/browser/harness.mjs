// Stories in a real browser: a story visits pages of a served demo, and fails on what no page may do: an
// error on the console, a request to another origin, a serious accessibility fault. `look` writes
// screenshots.

import assert from "node:assert/strict"
import { mkdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { after, test } from "node:test"
import { setTimeout } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"
import { start } from "../sdk/process.mjs"

/** The admin of the demo. */
export const ADMIN = { email: "admin@atoll.test", password: "atoll-demo" }

const CHROMIUM = process.env.ATOLL_CHROMIUM ?? "/usr/bin/chromium"
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
const SCREENSHOTS = fileURLToPath(new URL("../../target/screenshots/", import.meta.url))
const WIDE = { width: 1280, height: 900 }
/** @type {{ name: string, colorScheme: "light" | "dark", viewport: { width: number, height: number } }[]} */
const LOOKS = [
  { name: "light", colorScheme: "light", viewport: WIDE },
  { name: "dark", colorScheme: "dark", viewport: WIDE },
  { name: "360", colorScheme: "light", viewport: { width: 360, height: 800 } },
]

/** @type {Promise<{ baseUrl: string, stop: () => Promise<void> }> | undefined} */
let served
/** @type {Promise<import("playwright-core").Browser> | undefined} */
let browser

after(async () => {
  await (await browser)?.close()
  await (await served)?.stop()
})

/**
 * A test in a browser that nobody is logged in with. All stories of a file share one served demo, which the
 * arguments of the first one start.
 * @param {string} name
 * @param {(visitor: Visitor) => Promise<void>} steps
 * @param {string[]} [args] arguments of `serve` beside `--demo`
 */
export function story(name, steps, args = []) {
  test(name, async () => {
    served ??= start(["--demo", ...args])
    browser ??= chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] })
    const { baseUrl } = await served
    const context = await (await browser).newContext({ baseURL: baseUrl, viewport: WIDE, reducedMotion: "reduce" })
    const visitor = new Visitor(await context.newPage(), baseUrl)
    try {
      await steps(visitor)
    } finally {
      await context.close()
    }
    assert.deepEqual(visitor.faults, [])
  })
}

/**
 * Calls the API of a demo as its admin.
 * @param {string} baseUrl
 */
export async function adminOf(baseUrl) {
  const { token } = await call(baseUrl, {})("POST", "/auth/user/emailpass", ADMIN)
  return call(baseUrl, { authorization: `Bearer ${token}` })
}

/**
 * The channel of this name.
 * @param {string} baseUrl
 * @param {string} name
 */
export async function channelOf(baseUrl, name) {
  const admin = await adminOf(baseUrl)
  const { sales_channels } = await admin("GET", `/admin/sales-channels?name=${encodeURIComponent(name)}&fields=id`)
  return sales_channels[0].id
}

/**
 * Calls the API of a demo as the storefront of the channel of this name.
 * @param {string} baseUrl
 * @param {string} name
 */
export async function storefrontOf(baseUrl, name) {
  const admin = await adminOf(baseUrl)
  const { api_keys } = await admin("GET", "/admin/api-keys?type=publishable&fields=token,*sales_channels")
  const opens = (/** @type {any} */ key) => key.sales_channels.some((/** @type {any} */ it) => it.name === name)
  return call(baseUrl, { "x-publishable-api-key": api_keys.find(opens).token })
}

/** Time in which what is waited for happens, also on a machine that has much to do. */
const PATIENCE_MS = 30_000

/**
 * Asks again and again until this holds.
 * @param {() => Promise<boolean>} holds
 */
export async function until(holds) {
  const end = Date.now() + PATIENCE_MS
  while (!(await holds())) {
    assert.ok(Date.now() < end, `it does not hold: ${holds}`)
    await setTimeout(50)
  }
}

/**
 * Calls the API with these headers, and expects success.
 * @param {string} baseUrl
 * @param {Record<string, string>} headers
 */
export function call(baseUrl, headers) {
  return async (/** @type {string} */ method, /** @type {string} */ path, /** @type {any} */ body = undefined) => {
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      headers: { "content-type": "application/json", ...headers },
      body: body && JSON.stringify(body),
    })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text)
  }
}

/** One person with one tab. */
export class Visitor {
  /** What went wrong so far. @type {string[]} */
  faults = []

  /**
   * @param {import("playwright-core").Page} page
   * @param {string} baseUrl
   */
  constructor(page, baseUrl) {
    this.page = page
    this.baseUrl = baseUrl
    page.on("console", (it) => {
      if (it.type() === "error") this.faults.push(`${page.url()}: console: ${it.text()}`)
    })
    page.on("pageerror", (it) => this.faults.push(`${page.url()}: uncaught: ${it.message}`))
    page.on("request", (it) => {
      const { origin, protocol } = new URL(it.url())
      const isOwn = origin === baseUrl || ["data:", "blob:"].includes(protocol)
      if (!isOwn) this.faults.push(`${page.url()}: another origin: ${it.url()}`)
    })
  }

  /**
   * Opens a page.
   * @param {string} path
   */
  async visit(path) {
    const response = await this.page.goto(path)
    assert.equal(response?.status(), 200, path)
    return this.page
  }

  /** Logs in as the admin by the form. */
  async logIn() {
    const page = await this.visit("/app/")
    await page.getByLabel("E-mail").fill(ADMIN.email)
    await page.getByLabel("Password").fill(ADMIN.password)
    await page.getByRole("button", { name: "Log in" }).click()
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor()
    return page
  }

  /**
   * Presses a button of a form, opens its question first if it has one, and waits for the page to which it
   * leads.
   * @param {string} name
   */
  async press(name) {
    const button = this.page.getByRole("button", { name, exact: true, includeHidden: true })
    const question = this.page.locator("details.ask:not([open])", { has: button }).locator("summary").first()
    if (await question.isVisible()) await question.click()
    const loaded = this.page.waitForEvent("load")
    await button.first().click()
    await loaded
  }

  /**
   * Looks at the page as it is now, in light, in dark and on a phone: nothing may be wider than the screen, and
   * axe may find nothing serious. Each look is `target/screenshots/{name}-{look}.png`.
   * @param {string} name
   * @param {string[]} [excused] rules of axe that do not count, where what a page embeds breaks them
   */
  async look(name, excused = []) {
    const { page } = this
    mkdirSync(SCREENSHOTS, { recursive: true })
    for (const it of LOOKS) {
      await page.setViewportSize(it.viewport)
      await page.emulateMedia({ colorScheme: it.colorScheme })
      // A change of colours is a transition.
      await page.evaluate(() => Promise.allSettled(document.getAnimations().map((it) => it.finished)))
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      if (width > it.viewport.width) this.faults.push(`${name}, ${it.name}: ${width} pixels wide`)
      const found = await this.accessibilityFaults(excused)
      this.faults.push(...found.map((fault) => `${name}, ${it.name}: ${fault}`))
      await page.screenshot({ path: `${SCREENSHOTS}${name}-${it.name}.png`, animations: "disabled" })
    }
    await page.setViewportSize(WIDE)
  }

  /**
   * Axe is evaluated, and not added as a script, so that the page keeps its policy.
   * @param {string[]} excused
   * @returns {Promise<string[]>}
   */
  async accessibilityFaults(excused) {
    await this.page.evaluate(AXE)
    const violations = await this.page.evaluate(async () => {
      const { violations } = await /** @type {any} */ (globalThis).axe.run()
      return violations.map((/** @type {any} */ it) => ({ id: it.id, impact: it.impact, at: it.nodes[0].target.join(" ") }))
    })
    const isSerious = (/** @type {{ id: string, impact: string }} */ it) =>
      ["serious", "critical"].includes(it.impact) && !excused.includes(it.id)
    return violations.filter(isSerious).map((/** @type {any} */ it) => `${it.impact} ${it.id} at ${it.at}`)
  }
}
