// Starts the dashboard in the page that `build.mjs` writes.

import Dashboard from "@medusajs/dashboard"
import "@medusajs/dashboard/css"
import { createElement } from "react"
import { createRoot } from "react-dom/client"

const root = /** @type {HTMLElement} */ (document.getElementById("dashboard"))
createRoot(root).render(createElement(Dashboard, { plugins: [] }))
