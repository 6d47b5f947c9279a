import type { EndpointOptions } from "./endpoint-options.ts";
import type { SqlHooks } from "./sql/hooks.ts";

/**
 * What a caller may ask for; everything is optional. Precedence: these options, then the environment, then the config file, then the
 * default. A list replaces the list of a lower level, it does not add to it.
 */
export interface PgdittoOptions {
  /**
   * The database to copy (MAIN): `postgresql://` URL, libpq's `key=value` pairs, or an object. Environment `MAIN_DB_URL`. Parts it lacks come
   * from `MAIN_DB_HOST`, `MAIN_DB_PORT`, `MAIN_DB_USER`, `MAIN_DB_PASSWORD`, `MAIN_DB_NAME`. Default `postgres@localhost:5432/Main_DB`.
   */
  source?: string | EndpointOptions | undefined;
  /** The database to replace by the copy (ARCHIVE), given like `source`, with `ARCHIVE_DB_*`. Default `postgres@localhost:5432/Archive_DB`. */
  target?: string | EndpointOptions | undefined;
  /**
   * Seconds until an attempt to connect is given up, 1 to 3600. Environment `PGCONNECT_TIMEOUT`; `connect_timeout` in a URL or a service
   * stands between this option and the variable, as in libpq. Default 10.
   */
  connectTimeout?: number | undefined;
  /** Patterns (pg_dump's) of the tables whose rows are copied; the schema of everything is. Environment `CORE_TABLES`. Default: all tables. */
  tables?: readonly string[] | undefined;
  /** Patterns of tables whose rows are left out. */
  excludeTables?: readonly string[] | undefined;
  /** Patterns of the schemas whose tables' rows are copied. Default: all schemas. */
  schemas?: readonly string[] | undefined;
  /** Patterns of schemas whose tables' rows are left out. */
  excludeSchemas?: readonly string[] | undefined;
  /** Leave out owners: everything belongs to the target's user. Default false. */
  noOwner?: boolean | undefined;
  /** Leave out grants and default privileges. Default false. */
  noAcl?: boolean | undefined;
  /** Put everything in the target's default tablespace. Default false. */
  noTablespaces?: boolean | undefined;
  /** Names of extensions to go on without. Default none. */
  skipExtensions?: readonly string[] | undefined;
  /** Connections that copy and build at the same time, multiplied by `batchSize`; 1 to 1000. Environment `PG_JOBS`. Default 4. */
  jobs?: number | undefined;
  /** Tables at once, each with `jobs` connections; 1 to 1000. Environment `BATCH_SIZE`. Default 1. */
  batchSize?: number | undefined;
  /** Attempts in all for what fails in passing; 1 (no second attempt) to 100. Environment `RETRY_COUNT`. Default 3. */
  retryCount?: number | undefined;
  /** Give up when a server has answered nobody, or nothing of a copy has moved, for so many seconds; 1 to 86,400. Default 300. */
  stallTimeout?: number | undefined;
  /**
   * How rows are compared. `counts`: their number in each table. `checksum`: their content, too; the rows that differ are named. Default
   * `counts` for `sync` and `checksum` for `verify`.
   */
  verify?: "counts" | "checksum" | undefined;
  /** Go on with what a failed run left, where it can be proven unchanged. Default false: a new run. */
  resume?: boolean | undefined;
  /** Keep the staging database when the run fails or is cancelled. Default false: only when a server or the network was lost. */
  keepStaging?: boolean | undefined;
  /**
   * `staging`: build beside the target and swap. `recreate`: drop first and fill in place. `truncate`: keep the database, and replace the
   * rows of its tables. Default `staging`.
   */
  mode?: "staging" | "recreate" | "truncate" | undefined;
  /** With mode `truncate`: everything in one transaction, so that readers see the old rows until it is committed. Default false. */
  atomic?: boolean | undefined;
  /** With mode `truncate`: take secondary indexes off while rows come in, and build them again afterwards. Default false. */
  dropIndexes?: boolean | undefined;
  /**
   * `copy`: schema by pg_dump, rows by COPY. `template`: `CREATE DATABASE … TEMPLATE` copies the source's files; for two databases of one
   * server, everything selected, nobody connected to the source. Default `copy`.
   */
  strategy?: "copy" | "template" | undefined;
  /** Keep the replaced database as `<target>_previous`. Default false. */
  keepPrevious?: boolean | undefined;
  /** Replace a target that pgditto did not make without asking. Default false. */
  yes?: boolean | undefined;
  /**
   * `stream`: rows pass from one server to the other. `dump`: through files that pg_dump writes and pg_restore reads; both have to be
   * installed (manual, pg_dump and pg_restore). Default `stream`.
   */
  via?: "stream" | "dump" | undefined;
  /**
   * With `via: "dump"` the folder that rows go through: new, or empty; without, nothing is written there. Environment `DUMP_DIR`. Default
   * `migration_dumps_<YYYYMMDD_HHMMSS>` in `cwd`.
   */
  dumpDir?: string | undefined;
  /** What pg_dump writes: `directory` (-Fd), by `jobs` at the same time, or `custom` (-Fc), one file a table. Default `directory`. */
  dumpFormat?: "directory" | "custom" | undefined;
  /** With `via: "dump"`: keep the folder once it is complete, even when the import fails. Default false: it is removed. */
  keepDumps?: boolean | undefined;
  /**
   * The staging database may not become larger than this: bytes with a unit, in PostgreSQL's units of 1024 (`500MB`, `200GB`). Default: no
   * limit but the disk, as far as it can be seen.
   */
  maxTargetSize?: string | undefined;
  /** Bytes a second that all copies together may read from the source: `50MB`. Default: no limit. */
  rateLimit?: string | undefined;
  /** Bytes of WAL that a standby of either server, or a source that is one, may be behind before copies pause: `512MB`. Default: no limit. */
  maxReplicationLag?: string | undefined;
  /** Connections to the source, of all kinds, 2 to 10,000. Default: as `jobs` and the server's own limits have it. */
  maxSourceConnections?: number | undefined;
  /**
   * Files of SQL, or folders of `*.sql`, to run in the staging database, as `STAGE=FILE`; STAGE is `before`, `after-schema`, `after-data` or
   * `after`. Each in one transaction, unless it says `-- pgditto: no-transaction` at its top. Default none.
   */
  sql?: readonly string[] | undefined;
  /** Variables of these files, as `name=value`; used as in psql. Default none. */
  set?: readonly string[] | undefined;
  /** Functions that get a session in the staging database, by stage; each runs behind the stage's files. Only in an `.mjs` config file and here. Default none. */
  hooks?: SqlHooks | undefined;
  /** Which pg_dump reads the schema. Default `auto`: the newest installed one that suits the server, else the built-in WASM one. */
  pgDump?: "auto" | "native" | "wasm" | undefined;
  /** The folder that holds the pg_dump to use. Environment `PGDITTO_PG_BIN`. Default: `PATH` and the usual folders. */
  pgBin?: string | undefined;
  /** `dropConstraints`, `restoreConstraints`, `listConstraints`: these kinds only. Default: all five. */
  kinds?: readonly string[] | undefined;
  /** `dropConstraints`: a new file for the SQL that puts them back, written before anything is taken off. Default: none. */
  save?: string | undefined;
  /** `dropConstraints`, `restoreConstraints`: only say what would be done. Default false. */
  dryRun?: boolean | undefined;
  /** A config file (`.json` or `.mjs`) to read. Default: `pgditto.config.json` or `.mjs` in the current folder, if there is one. */
  config?: string | undefined;
}

/** The options and what only the command line has. */
export interface CliFlags extends Omit<PgdittoOptions, "hooks"> {
  /** Print JSON instead of text. */
  json?: boolean | undefined;
  /** `sync`: the file that a timeline of the run is written to. */
  profile?: string | undefined;
  /** How far the run is: bars on a terminal, a line every 10 seconds, nothing. Default `auto`. */
  progress?: "auto" | "tty" | "plain" | "none" | undefined;
  /** `demo`: leave both servers running. */
  keep?: boolean | undefined;
}
