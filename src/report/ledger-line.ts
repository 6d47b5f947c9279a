import type { SyncEvent } from "../events.ts";

type Ledger = Extract<SyncEvent, { type: "ledger" }>;

const LABELS: Readonly<Record<string, string>> = { "foreign-key": "FKEY", index: "INDEX", trigger: "TRIG" };
const STATES = { off: "INFO", back: "DONE", "not-valid": "WARNING", failed: "FAILED" } as const;
const WORDS = { off: "taken off", back: "put back", "not-valid": "put back NOT VALID", failed: "still off" } as const;

/** Label, state, object and text of a line of the log. */
export function ledgerLine({ kind, action, object, detail }: Ledger): [string, string, string, string] {
  return [LABELS[kind] ?? "CONSTR", STATES[action], object, detail === "" ? WORDS[action] : `${WORDS[action]}: ${detail}`];
}
