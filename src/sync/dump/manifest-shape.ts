/** Whether a value is what a place of the manifest wants. */
type Shape = (value: unknown) => boolean;

const text: Shape = (value) => typeof value === "string";
const number: Shape = (value) => typeof value === "number";
const truth: Shape = (value) => typeof value === "boolean";

function like(pattern: RegExp): Shape {
  return (value) => typeof value === "string" && pattern.test(value);
}

function oneOf(...values: readonly unknown[]): Shape {
  return (value) => values.includes(value);
}

function list(item: Shape): Shape {
  return (value) => Array.isArray(value) && value.every(item);
}

/** Further fields may be there. */
function object(fields: Readonly<Record<string, Shape>>): Shape {
  return (value) => isObject(value) && Object.entries(fields).every(([name, shape]) => shape(value[name]));
}

function map(item: Shape): Shape {
  return (value) => isObject(value) && Object.values(value).every(item);
}

function optional(shape: Shape): Shape {
  return (value) => value === undefined || shape(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const anything = object({});

/** As the server's `quote_ident` writes a role; it stands in statements as it is. */
const ROLE = `(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)`;
const GRANT = new RegExp(`^(?:GRANT|REVOKE) [A-Z ]+ ON LARGE OBJECT \\d+ (?:TO|FROM) (?:PUBLIC|${ROLE})(?: WITH GRANT OPTION)?$`);

/** What an import reads as it is. What statements are made of is looked at to the letter, where it is not a statement itself. */
const MANIFEST = object({
  made: text,
  run: text,
  version: text,
  snapshot: text,
  source: object({ host: text, port: number, user: text, database: text, version: text }),
  serverVersion: number,
  pgDump: object({ version: number, text }),
  format: oneOf("directory", "custom"),
  database: object({ encoding: text, locales: list(text) }),
  options: object({ noOwner: truth, noAcl: truth, noTablespaces: truth, skipExtensions: list(text) }),
  requirements: object({
    extensions: list(object({ name: text, version: text })),
    roles: list(object({ name: text })),
    tablespaces: list(text),
    superuserOnly: list(text),
  }),
  space: object({ bytes: number, tablespace: text, tablespaces: list(text), sizes: list(object({ bytes: number })) }),
  catalog: object({
    tables: list(object({ oid: number, schema: text, name: text })),
    selected: list(number),
    indexes: list(anything),
    constraints: list(anything),
    matviews: list(anything),
    sequences: list(object({ schema: text, name: text })),
    relations: object({ dependencies: list(() => true), defaults: list(list(number)) }),
    largeObjects: list(
      object({
        oid: number,
        owner: like(new RegExp(`^${ROLE}$`)),
        grants: list(like(GRANT)),
        labels: list(object({ provider: text, label: text })),
      }),
    ),
  }),
  entries: list(object({ path: text, object: text, detail: text, tables: list(number), bytes: number })),
  sequences: list(object({ schema: text, name: text, value: like(/^-?\d+$/), called: truth })),
  lacking: list(
    (item) =>
      object({ kind: oneOf("schema"), name: oneOf("public") })(item) || object({ kind: oneOf("extension"), name: oneOf("plpgsql") })(item),
  ),
  inventory: list(anything),
  counts: map(object({ rows: number, sum: optional(like(/^-?\d+$/)) })),
  hashes: optional(map(object({ sql: text, leftOut: list(() => true) }))),
  files: list(object({ path: text, bytes: number, sha256: text })),
});

/** Whether the contents of a manifest have all that an import reads. Its digest says only that nobody has damaged them. */
export function isManifest(contents: unknown): boolean {
  return MANIFEST(contents);
}
