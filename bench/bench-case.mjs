import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { contendersFor } from "./contenders/contenders.mjs";
import { summarize } from "./report/summary.mjs";
import { runRounds } from "./rounds.mjs";
import { connected, sql } from "./sql.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** One database: made once, copied by everybody in turns, and dropped, because the next one may be of 10 GB. */
export async function benchCase(wanted, { servers, pgcopydb, work, options }) {
  const { clients } = servers;
  const sourceMaintenance = servers.source.url("postgres");
  const place = {
    source: servers.source.url(wanted.database),
    target: servers.target.url("copy"),
    maintenance: servers.target.url("postgres"),
    scale: wanted.scale,
    variants: options.variants,
    servers,
    clients,
    pgcopydb,
    work,
    root,
  };
  await sql(sourceMaintenance, `CREATE DATABASE ${wanted.database} TEMPLATE template0`);
  try {
    const title = await fill(wanted, place);
    const contenders = contendersFor(wanted.set, place, options);
    const results = await runRounds(contenders, place, options, (contender, turn, result) =>
      progress(`${wanted.label}  ${turn}/${options.runs}  ${contender.name}`, result),
    );
    const raw = [...results].map(([{ name }, runs]) => ({ name, runs }));
    return { name: wanted.set.name, point: wanted.point, title, rows: summarize(results), raw };
  } finally {
    await sql(sourceMaintenance, `DROP DATABASE ${wanted.database} WITH (FORCE)`);
  }
}

/** Resolves with what the set is called in a table. */
async function fill({ set, scale, point, label }, { source, clients }) {
  const started = Date.now();
  return await connected(source, async (query) => {
    await set.make({ sql: query, url: source, scale, point, clients });
    await query("VACUUM ANALYZE");
    const [{ bytes }] = await query("SELECT pg_database_size(current_database()) AS bytes");
    console.error(`${label}: filled in ${((Date.now() - started) / 1000).toFixed(0)} s`);
    const size = point === undefined ? `scale ${scale}` : `${point}`;
    return `${set.name}: ${set.title} (${size}, ${(Number(bytes) / 1e6).toFixed(0)} MB)`;
  });
}

/** On stderr, so that the tables alone can be kept. */
function progress(what, { seconds, failed, tail }) {
  if (failed === undefined) console.error(`${what}  ${seconds.toFixed(2)} s`);
  else console.error(`${what}  FAILED: ${failed}\n${tail.replaceAll(/^/gm, "    ")}`);
}
