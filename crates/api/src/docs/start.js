// Starts the API reference. Whatever would ask another origin is off: fonts, telemetry, the proxy, the chat,
// the client that opens elsewhere; and what a reader logs in with is forgotten when the page is left.
"use strict"

// Text with enough contrast, and paths in tables in one piece.
const STYLES = `
  .light-mode {
    --scalar-color-3: #616161; --scalar-color-blue: #0063ad; --scalar-color-green: #05703c;
    --scalar-color-orange: #a34700; --scalar-color-purple: #6b21a8; --scalar-color-red: #b3101d;
  }
  .dark-mode { --scalar-color-3: #a3a3a3 }
  td code { white-space: nowrap }
`

const SCHEMAS = "#/components/schemas/"

// Records lead to each other without end, and the search of Scalar would follow each path for seconds: so a
// relation has the name of its record here, which is described among the models.
function withoutCycles(document) {
  const named = (_, it) => (it?.$ref?.startsWith(SCHEMAS) ? { type: "object", title: it.$ref.slice(SCHEMAS.length) } : it)
  document.components.schemas = JSON.parse(JSON.stringify(document.components.schemas), named)
  return document
}

async function start() {
  const document = await (await fetch("/openapi.json")).json()
  Scalar.createApiReference("#reference", {
    content: withoutCycles(document),
    agent: { disabled: true },
    customCss: STYLES,
    defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
    documentDownloadType: "none",
    hideClientButton: true,
    mcp: { disabled: true },
    persistAuth: false,
    showDeveloperTools: "never",
    telemetry: false,
    withDefaultFonts: false,
  })
}

start()
