/** A pg_dump that pgditto can run, or the pg_restore beside it. */
export interface PgDumpProgram {
  /** Default `pg_dump`. */
  name?: "pg_dump" | "pg_restore" | undefined;
  kind: "native" | "wasm";
  /** The executable; undefined for the built-in one. */
  path?: string | undefined;
  /** As `SHOW server_version_num`: 150018. */
  version: number;
  /** For people: `15.18`. */
  versionText: string;
  /** Why this one and not another, when that may surprise. */
  note?: string | undefined;
  /** What is wrong with it, although it works. */
  warning?: string | undefined;
}

/** pg_dump as `@electric-sql/pglite-tools` 0.4.8 ships it; the exact version is pinned in package.json, so this is known. */
export const WASM_PG_DUMP = { version: 180_003, versionText: "18.3" } as const;

/** `pg_dump 15.18`, `built-in pg_dump 18.3`: for messages. */
export function describeProgram(program: PgDumpProgram): string {
  return `${program.kind === "wasm" ? "built-in " : ""}${program.name ?? "pg_dump"} ${program.versionText}`;
}
