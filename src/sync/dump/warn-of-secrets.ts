import type { SchemaEntry } from "../../schema/entries.ts";
import { type Run, warn } from "../run.ts";

/** What other servers are reached by; pg_dump writes their options as they are. */
const REACHING = new Set(["USER MAPPING", "SERVER", "SUBSCRIPTION"]);
/** As an option (`password 'x'`, `"Password" 'x'`), in a connection string (`password=x`) or in a URL; `password_required` is none. */
const PASSWORD = /\b(?!password_required\b)\w*(?:password|passwd|pwd|secret)\w*\b|:\/\/[^\s/@:]*:[^\s/@]+@/i;

/** Tells which entries of the schema hold passwords to other servers, where the folder stays. */
export function warnOfSecrets(run: Run, entries: readonly SchemaEntry[], folder: string): void {
  const found = entries.filter(({ type, sql }) => REACHING.has(type) && PASSWORD.test(sql)).map(({ type, name }) => `${type} ${name}`);
  if (found.length === 0) return;
  const named = `${found.slice(0, 3).join(", ")}${found.length > 3 ? ` and ${found.length - 3} more` : ""}`;
  warn(
    run,
    "dump-holds-secrets",
    `The dump in ${folder} holds passwords to other servers, in plain text: ${named}.`,
    "They are part of the schema. Keep the folder as you would keep the passwords.",
  );
}
