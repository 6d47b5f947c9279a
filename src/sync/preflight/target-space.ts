import { readSizes } from "../../catalog/sizes.ts";
import { selectTables } from "../../catalog/select-tables.ts";
import { readTables } from "../../catalog/tables.ts";
import { type Disk, findDisks } from "../../target/disks.ts";
import { readWalFacts, type WalFacts } from "../../target/wal.ts";
import type { Session } from "../../postgres/session.ts";
import type { Opened } from "../open.ts";
import type { Run } from "../run.ts";
import { type SpaceNeed, spaceNeed } from "./space-need.ts";
import { isLocal } from "../copy/streams.ts";

/** Where the run writes, as far as it can be seen. */
export interface TargetSpace {
  /** Undefined: the server is on another machine, or does not let us see its disks. */
  disks: readonly Disk[] | undefined;
  wal: WalFacts;
  /** The staging database's own. */
  tablespace: string;
}

const DEFAULT_TABLESPACE = "pg_default";

/** Names of the tablespaces that rows and indexes go to. */
export async function tablespacesOf(run: Run, { source }: Pick<Opened, "source">): Promise<string[]> {
  const own = await databaseTablespace(run, source);
  if (run.config.noTablespaces) return [own];
  const rows = await source.query<{ name: string }>(
    "SELECT DISTINCT t.spcname::text AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace WHERE t.spcname <> 'pg_global'",
  );
  return [...new Set([own, ...rows.map(({ name }) => name)])];
}

/** The staging database's own: pg_dump's CREATE DATABASE names that of the source. */
async function databaseTablespace(run: Run, source: Session): Promise<string> {
  if (run.config.noTablespaces) return DEFAULT_TABLESPACE;
  const [own] = await source.query<{ name: string }>(
    "SELECT t.spcname::text AS name FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = pg_catalog.current_database()",
  );
  return own?.name ?? DEFAULT_TABLESPACE;
}

export async function readTargetSpace(run: Run, opened: Opened): Promise<TargetSpace> {
  const { control, source } = opened;
  const tablespace = await databaseTablespace(run, source);
  const here = isLocal(run.config.target.host, run.machine.hostname);
  const disks = here ? await findDisks(control, await tablespacesOf(run, opened)) : undefined;
  return { disks, wal: await readWalFacts(control), tablespace };
}

/** What a copy of the source needs there: asks for the size of every table. */
export async function readNeed(run: Run, opened: Opened, { tablespace }: TargetSpace): Promise<SpaceNeed> {
  const sizes = await readSizes(opened.source);
  return spaceNeed({ sizes, selected: await selection(run, opened), tablespace, noTablespaces: run.config.noTablespaces });
}

async function selection(run: Run, { source }: Opened): Promise<(table: number) => boolean> {
  const { tables, excludeTables, schemas, excludeSchemas } = run.config;
  if ([tables, excludeTables, schemas, excludeSchemas].every((patterns) => patterns.length === 0)) return () => true;
  const all = await readTables(source);
  // a pattern that matches nothing is told of when the source is read
  const chosen = await selectTables(source, all, run.config).catch(() => undefined);
  const known = new Set(all.map(({ oid }) => oid));
  return (table) => chosen === undefined || chosen.has(table) || !known.has(table);
}
