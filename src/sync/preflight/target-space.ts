import { readSizes, type RelationSize } from "../../catalog/sizes.ts";
import { selectsAll, selectTables } from "../../catalog/select-tables.ts";
import { readTables } from "../../catalog/tables.ts";
import { type Disk, findDisks } from "../../target/disks.ts";
import { readWalFacts, type WalFacts } from "../../target/wal.ts";
import type { Session } from "../../postgres/session.ts";
import type { Run } from "../run.ts";
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

/** What the room that a copy takes is reckoned from. */
export interface SourceSpace {
  /** Bytes of the whole database. */
  bytes: number;
  /** That of the database. */
  tablespace: string;
  /** All that rows and indexes go to. */
  tablespaces: readonly string[];
  /** Of what is copied: asks for the size of every table. */
  sizes: () => Promise<readonly RelationSize[]>;
}

export async function readSourceSpace(run: Run, source: Session, bytes: number): Promise<SourceSpace> {
  return {
    bytes,
    tablespace: await databaseTablespace(source),
    tablespaces: await tablespacesOf(source),
    sizes: async () => {
      const sizes = await readSizes(source);
      const isSelected = await selection(run, source);
      return sizes.filter(({ table }) => isSelected(table));
    },
  };
}

/** Names of the tablespaces that are written to. */
export function usedTablespaces({ config }: Run, { tablespace, tablespaces }: Omit<SourceSpace, "sizes">): readonly string[] {
  return config.noTablespaces ? [DEFAULT_TABLESPACE] : [...new Set([tablespace, ...tablespaces])];
}

async function tablespacesOf(source: Session): Promise<string[]> {
  const rows = await source.query<{ name: string }>(
    "SELECT DISTINCT t.spcname::text AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace WHERE t.spcname <> 'pg_global'",
  );
  return rows.map(({ name }) => name);
}

/** The staging database's own: pg_dump's CREATE DATABASE names that of the source. */
async function databaseTablespace(source: Session): Promise<string> {
  const [own] = await source.query<{ name: string }>(
    "SELECT t.spcname::text AS name FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = pg_catalog.current_database()",
  );
  return own?.name ?? DEFAULT_TABLESPACE;
}

export async function readTargetSpace(run: Run, control: Session, from: SourceSpace): Promise<TargetSpace> {
  const tablespace = run.config.noTablespaces ? DEFAULT_TABLESPACE : from.tablespace;
  const here = isLocal(run.config.target.host, run.machine.hostname);
  const disks = here ? await findDisks(control, usedTablespaces(run, from)) : undefined;
  return { disks, wal: await readWalFacts(control), tablespace };
}

async function selection(run: Run, source: Session): Promise<(table: number) => boolean> {
  if (selectsAll(run.config)) return () => true;
  const all = await readTables(source);
  // a pattern that matches nothing is told of when the source is read
  const chosen = await selectTables(source, all, run.config).catch(() => undefined);
  const known = new Set(all.map(({ oid }) => oid));
  return (table) => chosen === undefined || chosen.has(table) || !known.has(table);
}
