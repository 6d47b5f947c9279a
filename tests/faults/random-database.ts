import fc from "fast-check";
import { quoteName, quoteText } from "../support/sql.ts";

/** What names, texts, labels and comments are put together from: what some place on the way has to write in another way. */
const PIECES = [
  ..."aB0_ .,;:/()[]{}<>=+-*&|!?@#~^`".split(""),
  '"',
  "'",
  "\\",
  "%",
  "%s",
  "%I",
  "$",
  "$$",
  "$1",
  "$body$",
  "\n",
  "\r",
  "\t",
  "\u001b[31m",
  "\u0001",
  "\\.",
  "\\N",
  "\n\\.\n",
  "--",
  "/*",
  "*/",
  "NULL",
  "ü",
  "日本",
  "😀",
  "\u00a0",
  "\u200f",
  "\ufeff",
  "\n-- Name: x; Type: TABLE; Schema: s; Owner: o\n",
  "\n--\n-- TOC entry 1 (class 1259 OID 1)\n",
  ":x",
  "select",
];

const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => pieces.join(""));

/** 1 to 63 bytes; a schema's must not begin with pg_. */
const name = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 6 })
  .map((pieces) => pieces.join(""))
  .filter((joined) => Buffer.byteLength(joined) <= 63);

const names = (minLength: number, maxLength: number): fc.Arbitrary<string[]> => fc.uniqueArray(name, { minLength, maxLength });

const literal = (type: string, ...values: string[]): Kind => ({ type, value: fc.constantFrom(...values).map(quoteText) });

interface Kind {
  type: string;
  /** As SQL writes it, without its type. */
  value: fc.Arbitrary<string>;
}

const arrayOfText = fc
  .array(fc.option(text), { maxLength: 4 })
  .map((items) => `ARRAY[${items.map((item) => (item === null ? "NULL" : sqlText(item))).join(",")}]::text[]`);

const KINDS: readonly Kind[] = [
  { type: "text", value: text.map(sqlText) },
  { type: "varchar(200)", value: text.map(sqlText) },
  { type: "integer", value: fc.integer().map((n) => `(${n})`) },
  { type: "bigint", value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => quoteText(String(n))) },
  { type: "float8", value: fc.double().map((n) => quoteText(Object.is(n, -0) ? "-0" : String(n))) },
  { type: "float4", value: fc.float().map((n) => quoteText(Object.is(n, -0) ? "-0" : String(n))) },
  literal("numeric", "NaN", "0", "-0.000", "1e-300", "123456789012345678901234567890.000000000001", `1${"0".repeat(500)}`),
  literal("boolean", "t", "f"),
  literal("date", "infinity", "-infinity", "4713-01-01 BC", "0044-03-15 BC", "5874897-12-31", "2000-02-29"),
  literal("timestamp", "infinity", "-infinity", "4713-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999"),
  literal("timestamptz", "infinity", "-infinity", "0001-01-01 00:00:00+00 BC", "1883-11-18 12:03:57-04:56:02", "2024-03-31 02:30:00+01"),
  literal("time", "00:00", "24:00:00", "23:59:59.999999"),
  literal("timetz", "24:00:00-15:59:59", "00:00:00.000001+15:59"),
  literal("interval", "0", "-1 mons +1 day -00:00:01", "178000000 years", "-178000000 years -1 mons", "0.000001 s"),
  { type: "bytea", value: fc.uint8Array({ maxLength: 40 }).map((bytes) => `'\\x${Buffer.from(bytes).toString("hex")}'`) },
  { type: "text[]", value: arrayOfText },
  literal("integer[]", "{}", "{NULL}", "{{1,2},{3,NULL}}", "[-1:0]={7,8}", "[0:0][3:4]={{1,2}}"),
  literal("float8[]", "{}", "{NaN,Infinity,-0}"),
  literal("int4range", "empty", "(,)", "[1,2)", "(,5)"),
  literal("tstzrange", "empty", "[-infinity,infinity]", "(,)"),
  { type: "json", value: fc.json({ maxDepth: 2 }).map(safeJson).map(sqlText) },
  { type: "jsonb", value: fc.json({ maxDepth: 2 }).map(safeJson).map(sqlText) },
  { type: "uuid", value: fc.uuid().map(quoteText) },
  literal("inet", "::1", "0.0.0.0/0", "10.1.2.3/8", "fe80::1/64"),
  literal("macaddr", "08:00:2b:01:02:03"),
  literal("bit varying", "", "0", "1010101010101"),
  literal('"char"', "", "a", "\\", "'"),
  literal("point", "(-0,0)", "(NaN,Infinity)", "(1e-300,1e300)"),
  literal("tsvector", "", "'a b':1A 'c''d':2,3B", "'\\\\':1"),
  literal("xml", "", "<a>&amp;</a>", "text & ]]&gt;".replace(" &", "")),
  literal("name", "", "x", "a'b"),
  literal("oid", "0", "4294967295"),
  literal("pg_lsn", "0/0", "FFFFFFFF/FFFFFFFF"),
];

interface Column {
  name: string;
  kind: Kind;
  fallback: string;
  comment: string;
}

const column = fc.record({ name, kind: fc.constantFrom(...KINDS), fallback: text, comment: text });

const table = fc
  .record({
    name,
    columns: fc.uniqueArray(column, { minLength: 1, maxLength: 7, selector: (one) => one.name }),
    comment: text,
    index: name,
    key: name,
  })
  .chain((shape) => {
    const row = fc.tuple(...shape.columns.map(({ kind }) => fc.option(kind.value, { freq: 6 })));
    return fc.array(row, { maxLength: 12 }).map((rows) => Object.assign({ rows }, shape));
  });

interface Table {
  name: string;
  columns: Column[];
  comment: string;
  index: string;
  key: string;
  rows: Array<Array<string | null>>;
}

/** The statements that fill an empty database: schemas, tables with rows, keys, defaults, comments, an enum, a view, a function. */
export const randomDatabase: fc.Arbitrary<string[]> = fc
  .record({
    schemas: names(1, 2).filter((list) => list.every((one) => !one.startsWith("pg_"))),
    tables: fc.uniqueArray(table, { minLength: 1, maxLength: 3, selector: (one) => one.name }),
    labels: names(1, 4),
    body: text,
    objects: names(4, 4),
  })
  .map(({ schemas, tables, labels, body, objects }) => {
    const [first = "s"] = schemas;
    const [type = "t", view = "v", func = "f", domain = "d"] = objects.map((object, i) => quoteName(cut(object, `_${i}`)));
    const schema = quoteName(first);
    return [
      ...schemas.map((one) => `CREATE SCHEMA ${quoteName(one)}`),
      `CREATE TYPE ${schema}.${type} AS ENUM (${labels.map(sqlText).join(", ")})`,
      `CREATE DOMAIN ${schema}.${domain} AS text DEFAULT ${sqlText(body)} CHECK (VALUE IS DISTINCT FROM ${sqlText(`${body}!`)})`,
      `CREATE FUNCTION ${schema}.${func}() RETURNS text LANGUAGE sql AS ${sqlText(`SELECT ${sqlText(body)}`)}`,
      ...tables.flatMap((one, i) =>
        tableSql(one, quoteName(schemas[i % schemas.length] ?? first), { type: `${schema}.${type}`, labels, number: i }),
      ),
      `CREATE VIEW ${schema}.${view} AS SELECT ${sqlText(body)}::text AS ${quoteName(labels[0] ?? "x")}, ${schema}.${func}() AS ${quoteName("f()")}`,
      `COMMENT ON VIEW ${schema}.${view} IS ${sqlText(body)}`,
    ];
  });

function tableSql(one: Table, schema: string, own: { type: string; labels: string[]; number: number }): string[] {
  const label = `label ${own.number}`;
  const table = `${schema}.${quoteName(cut(one.name, `_t${own.number}`))}`;
  const columns = one.columns.map((column) => {
    const fallback = column.kind.type === "text" ? ` DEFAULT ${sqlText(column.fallback)}` : "";
    return `${quoteName(column.name)} ${column.kind.type}${fallback}`;
  });
  const rows = one.rows.map((row, i) => {
    const values = row.map((value, at) => (value === null ? "NULL" : `${value}::${one.columns[at]?.kind.type}`));
    return `(${[...values, sqlText(own.labels[i % own.labels.length] ?? ""), `${i}`].join(", ")})`;
  });
  return [
    `CREATE TABLE ${table} (${[...columns, `${quoteName(label)} ${own.type}`, `${quoteName("# of row")} int`].join(", ")})`,
    ...(rows.length > 0 ? [`INSERT INTO ${table} VALUES ${rows.join(", ")}`] : []),
    `ALTER TABLE ${table} ADD CONSTRAINT ${quoteName(cut(one.key, `_k${own.number}`))} PRIMARY KEY (${quoteName("# of row")})`,
    `CREATE INDEX ${quoteName(cut(one.index, `_i${own.number}`))} ON ${table} (${quoteName(label)}) WHERE ${quoteName("# of row")} > 3`,
    `COMMENT ON TABLE ${table} IS ${sqlText(one.comment)}`,
    ...one.columns.map((column) => `COMMENT ON COLUMN ${table}.${quoteName(column.name)} IS ${sqlText(column.comment)}`),
  ];
}

/** With an ending that no other object has, within 63 bytes. */
function cut(text: string, ending: string): string {
  let kept = "";
  for (const character of text) {
    if (Buffer.byteLength(kept + character + ending) > 63) break;
    kept += character;
  }
  return kept + ending;
}

function sqlText(value: string): string {
  return `E'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/** PostgreSQL's texts hold neither NUL nor half a surrogate pair, and jsonb refuses their escapes too. */
function safeJson(json: string): string {
  return json
    .replaceAll(/\\u0000|\\ud[89a-f][0-9a-f]{2}/gi, "?")
    .replaceAll("\0", "?")
    .replaceAll(/\p{Surrogate}/gu, "?");
}
