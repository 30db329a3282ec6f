// The description of the API is valid OpenAPI 3.1, and describes every route once. That answers are what it says, all tests
// in Rust look at.

import assert from "node:assert/strict"
import { test } from "node:test"
import { Validator } from "@seriousme/openapi-schema-validator"
import { serve } from "./server.mjs"

test("the description is valid, and whole", async () => {
  const server = await serve()
  try {
    const document = await (await fetch(`${server.baseUrl}/openapi.json`)).json()
    const { valid, errors } = await new Validator().validate(structuredClone(document))
    assert.ok(valid, JSON.stringify(errors))
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path))
    const ids = operations.map((it) => it.operationId)
    assert.equal(new Set(ids).size, ids.length)
    assert.ok(ids.length > 100, `${ids.length} operations`)
    const channel = document.paths["/admin/sales-channels"].post
    assert.deepEqual(channel.security, [{ token: [] }, { secret_key: [] }])
    assert.deepEqual(channel.requestBody.content["application/json"].schema.required, ["name"])
    assert.equal(document.paths["/admin/sales-channels/{id}"].get.parameters[0].name, "id")
    const page = document.paths["/store/products"].get.responses["200"].content["application/json"].schema
    assert.deepEqual(page.required, ["products", "count", "offset", "limit"])
    assert.deepEqual(page.properties.products.items, { $ref: "#/components/schemas/StorefrontProduct" })
    const { properties } = document.components.schemas.Product
    assert.equal(properties.created_at.type, "string")
    assert.equal(properties.created_at.format, "date-time")
    assert.deepEqual(properties.variants.items, { $ref: "#/components/schemas/ProductVariant" })
    assert.equal(properties.tag_ids, undefined)
  } finally {
    await server.stop()
  }
})
