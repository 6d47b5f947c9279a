import { readFile } from "node:fs/promises";

import { expect, test } from "vitest";

import { configSchema } from "./json-schema.ts";
import { FILE_KEYS } from "./options.ts";

test("config.schema.json is what the table says (else: npm run build && node scripts/write-config-schema.mjs)", async () => {
  const committed: unknown = JSON.parse(await readFile(new URL("../../config.schema.json", import.meta.url), "utf8"));
  expect(committed).toEqual(JSON.parse(JSON.stringify(configSchema())));
});

test("every key of the file is described, and no other is allowed", () => {
  const schema = configSchema() as { properties: Record<string, { description?: string }>; additionalProperties: boolean };
  expect(Object.keys(schema.properties)).toEqual(["$schema", ...FILE_KEYS]);
  expect(Object.values(schema.properties).every((property) => (property.description ?? "").length > 20)).toBe(true);
  expect(schema.additionalProperties).toBe(false);
});
