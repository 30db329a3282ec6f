// Builds the public dashboard of the original, without plugins, into `target/dashboard`, to be served at
// `/dashboard` of the API that it calls. Version 2.18.0 is the last one that is under the MIT licence as a
// whole: never take a later one, and commit nothing of what is built.

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"

const OUT = fileURLToPath(new URL("../../target/dashboard/", import.meta.url))
const BASE = "/dashboard"

/** What plugins would add: nothing. */
const PLUGINS = `export default {
  customFields: {}, displays: {}, layouts: [], links: {}, menuItems: [], resources: {}, routes: [], widgets: [],
}`

/** Modules that the dashboard expects its builder to make. @type {import("esbuild").Plugin} */
const virtual = {
  name: "virtual",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^virtual:/ }, ({ path }) => ({ path, namespace: "virtual" }))
    onLoad({ filter: /.*/, namespace: "virtual" }, () => ({ contents: PLUGINS }))
  },
}

rmSync(OUT, { recursive: true, force: true })
const { metafile } = await build({
  entryPoints: [fileURLToPath(new URL("main.mjs", import.meta.url))],
  outdir: `${OUT}assets`,
  entryNames: "[name]-[hash]",
  publicPath: `${BASE}/assets`,
  bundle: true,
  splitting: true,
  minify: true,
  metafile: true,
  format: "esm",
  target: "es2022",
  logLevel: "error",
  loader: { ".png": "file", ".svg": "file", ".ttf": "file" },
  plugins: [virtual],
  define: {
    __AUTH_TYPE__: '"session"',
    __BACKEND_URL__: '"/"',
    __BASE__: JSON.stringify(BASE),
    __JWT_TOKEN_STORAGE_KEY__: "undefined",
    __MAX_UPLOAD_FILE_SIZE__: "16777216",
    __STOREFRONT_URL__: '""',
    "process.env.NODE_ENV": '"production"',
  },
})

const files = readdirSync(`${OUT}assets`)
for (const file of files) {
  const content = readFileSync(`${OUT}assets/${file}`)
  writeFileSync(`${OUT}assets/${file}.gz`, gzipSync(content, { level: 9 }))
}
const script = files.find((it) => /^main-.*\.js$/.test(it))
const styles = files.find((it) => /^main-.*\.css$/.test(it))
writeFileSync(
  `${OUT}index.html`,
  `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Dashboard</title>
<link rel="stylesheet" href="${BASE}/assets/${styles}">
<div id="dashboard"></div>
<script type="module" src="${BASE}/assets/${script}"></script>
</html>
`,
)
const bytes = Object.values(metafile.outputs).reduce((sum, it) => sum + it.bytes, 0)
console.log(`${files.length} files, ${bytes} bytes, in ${OUT}`)
