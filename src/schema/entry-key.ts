import { createHash } from "node:crypto";

/**
 * A digest of what an entry says, by which the journal knows it again in a later run's script: pg_dump numbers its entries anew each time.
 * 22 characters of base64url: 132 bits of SHA-256.
 */
export function entryKey({ type, schema, name, sql, settings }: Record<"type" | "schema" | "name" | "sql" | "settings", string>): string {
  return createHash("sha256")
    .update(JSON.stringify([type, schema, name, sql, settings]))
    .digest("base64url")
    .slice(0, 22);
}
