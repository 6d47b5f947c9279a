import { SSL_MODES, type SslMode } from "../postgres/connection-config.ts";

/** One end, as an object. Names and meanings are libpq's (manual 34.1.2), with `database` for `dbname`. */
export interface EndpointOptions {
  /** Host name, address, or the directory of a Unix socket (begins with `/`). Default `localhost`. */
  host?: string | undefined;
  /** 1 to 65535. Default 5432. */
  port?: number | undefined;
  /** Default `postgres`. */
  user?: string | undefined;
  /** Without it: password file, service file, `PGPASSWORD`, the original's default. */
  password?: string | undefined;
  /** Default `Main_DB` (source), `Archive_DB` (target). */
  database?: string | undefined;
  /** Default `prefer`, as in libpq; `verify-full` with `sslrootcert: "system"`. */
  sslmode?: SslMode | undefined;
  /** Path of the root certificates (PEM), or `system` for those that Node ships. Default `~/.postgresql/root.crt`, if there. */
  sslrootcert?: string | undefined;
  /** Path of the client certificate (PEM). Default `~/.postgresql/postgresql.crt`, if there. */
  sslcert?: string | undefined;
  /** Path of its private key (PEM). Default `~/.postgresql/postgresql.key`. */
  sslkey?: string | undefined;
  /** Passphrase of the private key. */
  sslpassword?: string | undefined;
  /** Path of certificate revocation lists (PEM). Default `~/.postgresql/root.crl`, if there. */
  sslcrl?: string | undefined;
  /** `direct` starts TLS at once (PostgreSQL 17). Default `postgres`. */
  sslnegotiation?: "postgres" | "direct" | undefined;
  /** Seconds, 1 to 3600. */
  connect_timeout?: number | undefined;
  /** Server settings, as in `-c work_mem=64MB`. */
  options?: string | undefined;
  /** A section of the libpq service file. */
  service?: string | undefined;
  /** Path of the password file. Default `~/.pgpass`. */
  passfile?: string | undefined;
}

interface EndpointKey {
  type: "string" | "integer";
  help: string;
  choices?: readonly string[];
  min?: number;
  max?: number;
}

/** The same as a table, for checks and the JSON schema. */
export const ENDPOINT_KEYS = {
  host: { type: "string", help: "Host name, address, or the directory of a Unix socket. Default localhost." },
  port: { type: "integer", min: 1, max: 65_535, help: "Default 5432." },
  user: { type: "string", help: "Default postgres." },
  password: { type: "string", help: "Better kept in a password file (~/.pgpass) or in the environment." },
  database: { type: "string", help: "Default Main_DB (source), Archive_DB (target)." },
  sslmode: { type: "string", choices: SSL_MODES, help: "As libpq's sslmode. Default prefer." },
  sslrootcert: { type: "string", help: "Path of the root certificates (PEM), or system." },
  sslcert: { type: "string", help: "Path of the client certificate (PEM)." },
  sslkey: { type: "string", help: "Path of the client certificate's private key (PEM)." },
  sslpassword: { type: "string", help: "Passphrase of the private key." },
  sslcrl: { type: "string", help: "Path of certificate revocation lists (PEM)." },
  sslnegotiation: { type: "string", choices: ["postgres", "direct"], help: "direct starts TLS at once (PostgreSQL 17). Default postgres." },
  connect_timeout: { type: "integer", min: 1, max: 3600, help: "Seconds until an attempt to connect is given up. Default 10." },
  options: { type: "string", help: "Server settings, as in -c work_mem=64MB." },
  service: { type: "string", help: "A section of the libpq service file." },
  passfile: { type: "string", help: "Path of the password file. Default ~/.pgpass." },
} as const satisfies Record<keyof EndpointOptions, EndpointKey>;
