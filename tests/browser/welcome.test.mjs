// `/`: what this is, and where to go from here.

import assert from "node:assert/strict"
import { story } from "./harness.mjs"

story("root leads to the reference", async (visitor) => {
  const page = await visitor.visit("/")
  await visitor.look("welcome")
  await page.getByRole("link", { name: "/docs" }).click()
  await page.getByRole("heading", { name: "Atoll", level: 1 }).waitFor()
  assert.equal(new URL(page.url()).pathname, "/docs")
})
