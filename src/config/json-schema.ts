import { ENDPOINT_KEYS } from "./endpoint-options.ts";
import { FILE_KEYS, type OptionKey, specOf } from "./options.ts";

type Json = { readonly [key: string]: unknown };

/**
 * The JSON schema (draft-07, which editors know best) of `pgditto.config.json`. `scripts/write-config-schema.mjs` writes it to
 * `config.schema.json`; a test holds the two equal.
 */
export function configSchema(): Json {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: "https://unpkg.com/pgditto/config.schema.json",
    title: "pgditto configuration",
    description: "pgditto.config.json. Flags and environment variables stand above it.",
    type: "object",
    additionalProperties: false,
    properties: {
      $schema: { type: "string", description: "Where editors find this schema: ./node_modules/pgditto/config.schema.json" },
      ...Object.fromEntries(FILE_KEYS.map((key) => [key, optionSchema(key)])),
    },
    definitions: { endpoint: endpointSchema() },
  };
}

function optionSchema(key: OptionKey): Json {
  const spec = specOf(key);
  const beside = [`Flag --${spec.flag}`, ...(spec.env === undefined ? [] : [`environment ${spec.env}`])].join(", ");
  const description = `${spec.help} ${beside}.`;
  switch (spec.type) {
    case "endpoint":
      return { description, oneOf: [{ type: "string", minLength: 1 }, { $ref: "#/definitions/endpoint" }] };
    case "integer":
      return { description, type: "integer", minimum: spec.min, maximum: spec.max, default: spec.default };
    case "count":
      return { description, type: "integer", minimum: spec.min, maximum: spec.max };
    case "size":
      return { description, type: "string", pattern: "^\\s*\\d+(\\.\\d+)?\\s*([Bb]|[kKmMgGtT][Bb])\\s*$" };
    case "choice":
      return { description, enum: spec.choices, ...("default" in spec && { default: spec.default }) };
    case "text":
      return { description, type: "string", minLength: 1 };
    case "names":
      return { description, type: "array", items: { type: "string", minLength: 1 } };
    case "pairs":
      return { description, type: "array", items: { type: "string", pattern: spec.keys ? `^(${spec.keys.join("|")})=.` : "^[^=]+=" } };
    case "boolean":
      return { description, type: "boolean", default: false };
    default:
      return spec satisfies never;
  }
}

function endpointSchema(): Json {
  const properties = Object.entries(ENDPOINT_KEYS).map(([name, key]) => [
    name,
    {
      description: key.help,
      type: key.type,
      ...("choices" in key ? { enum: key.choices } : {}),
      ...("min" in key ? { minimum: key.min, maximum: key.max } : {}),
    },
  ]);
  return {
    description: "One end, in libpq's words.",
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  };
}
