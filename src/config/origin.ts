import { PgdittoError } from "../errors.ts";

/** Where a value came from, so that a message can name the thing to correct. */
export interface Origin {
  /** `usage`: flags, environment, library options. `config`: the contents of a file. */
  readonly code: "usage" | "config";
  /** As its owner would name it: `--jobs`, `PG_JOBS`, `pgditto.config.json:3:5: jobs`. */
  readonly name: string;
  /** The value stands in a text that holds passwords too. No part of it is ever shown: a misplaced `&` makes a password look like another part. */
  readonly secret?: true;
}

/** The origin of one part of a connection string. */
export function partOf(origin: Origin, part: string): Origin {
  return { code: origin.code, name: `${origin.name}, ${part}`, secret: true };
}

/** The error for a value that cannot be used. Throw it. */
export function refuse(origin: Origin, reason: string, hint: string): PgdittoError {
  return new PgdittoError(origin.code, `${origin.name}: ${reason}`, { object: origin.name, hint });
}

/** The value for a message, at most 60 characters of it; only `the value` when its origin may hold a password. */
export function shown(value: unknown, origin: Origin): string {
  if (origin.secret) return "the value";
  const text = typeof value === "function" || value === undefined ? typeof value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
