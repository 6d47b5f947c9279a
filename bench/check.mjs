import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { connected } from "./sql.mjs";

const run = promisify(execFile);

/** Compares a copy with its source by what shares no code with pgditto; resolves with what differs, or with nothing. */
export async function differenceOf({ source, target, clients }) {
  const [schemas, counts] = [[], []];
  for (const url of [source, target]) {
    if (clients !== undefined) schemas.push(await schemaText(url, clients));
    counts.push(await contents(url));
  }
  const [there, here] = counts;
  const tables = [...new Set([...there.keys(), ...here.keys()])].filter((table) => there.get(table) !== here.get(table));
  if (tables.length > 0)
    return tables.map((table) => `${table}: ${there.get(table)} in the source, ${here.get(table)} in the copy`).join("\n");
  return firstDifference(schemas[0]?.split("\n") ?? [], schemas[1]?.split("\n") ?? []);
}

/** The text of pg_dump without the keys of \restrict, which are random. */
async function schemaText(url, clients) {
  const { stdout } = await run(`${clients}/pg_dump`, ["--schema-only", "-d", url], { maxBuffer: 2 ** 29 });
  return stdout.replaceAll(/^\\(un)?restrict .*$/gm, "");
}

/** Rows of every table and materialized view, and a sum of their hashes. A view that was never filled counts as that. */
async function contents(url) {
  return await connected(url, async (query) => {
    const found = new Map();
    for (const { name, populated } of await query(TABLES)) {
      const [row] = populated ? await query(`SELECT count(*) || ' rows, hash ' || ${HASH} AS facts FROM ${name} t`) : [];
      found.set(name, row?.facts ?? "not populated");
    }
    return found;
  });
}

const HASH = "coalesce(sum(hashtextextended(t::text, 0)), 0)";
const TABLES = `SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relispopulated AS populated
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^(pg_|information_schema)' ORDER BY 1`;

function firstDifference(there, here) {
  const line = Array.from({ length: Math.max(there.length, here.length) }, (_, i) => i).find((i) => there[i] !== here[i]);
  return line === undefined ? undefined : `line ${line + 1} of pg_dump's text: ${there[line]} in the source, ${here[line]} in the copy`;
}
