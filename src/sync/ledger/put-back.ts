import { displayRemovable, type RemovableKind } from "../../catalog/removable/removable.ts";
import { asPgdittoError, type Difference, PgdittoError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { isConnectionLoss, isTransient } from "../../postgres/sqlstate.ts";
import type { GraphNode } from "../../scheduler/graph.ts";
import { withRetries } from "../../scheduler/retry.ts";
import { runGraph } from "../../scheduler/run-graph.ts";
import { closeLedger, type LedgerEntry, putBackEntry, strikeOut, validateEntry } from "../../target/ledger.ts";
import { cancelled, sleep } from "../../util/wait.ts";
import type { Run } from "../run.ts";
import { brokenRows } from "./broken-rows.ts";

/** What rests on what: an earlier one is there before a later one is put back. */
const ORDER: readonly RemovableKind[][] = [
  ["index"],
  ["unique", "exclusion"],
  ["not-null", "check"],
  ["foreign-key"],
  ["trigger"],
  // it would keep the tables' owner from proving their foreign keys
  ["row-security"],
];

/** Rows that break a constraint; it is back NOT VALID where that is possible, and stays off where not. */
const BROKEN = new Set(["23502", "23503", "23505", "23514", "23P01"]);
/** It is there: duplicate_object, duplicate_table. */
const THERE = new Set(["42710", "42P07"]);

export interface PutBackResult {
  /** Put back as they were. */
  back: readonly LedgerEntry[];
  /** What keeps the others from being as they were, told by their rows. Those entries stay in the ledger. */
  differences: readonly Difference[];
  /** Could not be put back for another reason. These stay in the ledger, too. */
  failed: ReadonlyArray<{ entry: LedgerEntry; error: PgdittoError }>;
}

/** Attempts in all at what somebody else's lock is in the way of. */
interface Patience {
  config: { retryCount: number };
}

interface PutBackNode extends GraphNode {
  entry: LedgerEntry;
  step: "put-back" | "validate";
}

/**
 * Puts back what the entries name: indexes beside each other, then constraints, foreign keys NOT VALID, and validates these beside each
 * other. One that cannot be put back does not keep the others off.
 * @param sessions In the target's database; one statement at a time runs on each.
 * @throws PgdittoError when a connection is lost or the run is cancelled: what is not back is in the ledger.
 */
export async function putBack(
  run: Pick<Run, "emit" | "signal"> & Patience,
  entries: readonly LedgerEntry[],
  sessions: readonly Session[],
): Promise<PutBackResult> {
  const back: LedgerEntry[] = [];
  const differences: Difference[] = [];
  const failed: Array<{ entry: LedgerEntry; error: PgdittoError }> = [];
  const stuck = new Set<number>();

  const tell = (entry: LedgerEntry, action: "back" | "not-valid" | "failed", detail = ""): void =>
    run.emit({ type: "ledger", action, kind: entry.kind, object: displayRemovable(entry), detail });
  const done = (entry: LedgerEntry): void => {
    back.push(entry);
    tell(entry, "back");
  };

  await runGraph<PutBackNode, Session>({
    nodes: nodesOf(entries),
    slots: sessions,
    signal: run.signal,
    run: async ({ entry, step }, session, signal) => {
      if (stuck.has(entry.id)) return;
      try {
        const attempt = (): Promise<void> => (step === "put-back" ? putBackEntry : validateEntry)(session, entry, signal);
        await patiently(run, signal, attempt);
        if (step === "validate" || entry.validate === undefined) done(entry);
      } catch (error) {
        if (signal.aborted) throw cancelled(signal);
        const failure = asPgdittoError(error);
        const state = failure.sqlstate ?? "";
        if (isConnectionLoss(state) || failure.code === "internal") throw failure;
        stuck.add(entry.id);
        if (step === "put-back" && THERE.has(state)) {
          await strikeOut(session, entry);
          tell(entry, "back", "it was there already");
          back.push(entry);
        } else if (BROKEN.has(state)) {
          const rows = await brokenRows(session, entry, failure, signal);
          differences.push(rows);
          tell(entry, step === "validate" ? "not-valid" : "failed", rows.target);
        } else {
          failed.push({ entry, error: failure });
          tell(entry, "failed", failure.message);
        }
      }
    },
  });
  const [first] = sessions;
  if (first) await closeLedger(first, run.signal);
  return { back, differences, failed };
}

/** Somebody else's lock or a deadlock passes; a lost connection does not come back by itself. */
async function patiently(run: Patience, signal: AbortSignal, attempt: () => Promise<void>): Promise<void> {
  await withRetries(
    {
      attempts: run.config.retryCount,
      isWorthwhile: (error) =>
        !signal.aborted && error instanceof PgdittoError && isTransient(error.sqlstate) && !isConnectionLoss(error.sqlstate),
      wait: (ms) => sleep(ms, signal),
      onRetry: () => undefined,
    },
    attempt,
  );
}

/** The error that a run ends with when something is not as it was. */
export function notPutBack({ differences, failed }: PutBackResult): PgdittoError | undefined {
  const hint = "What is off is in the table pgditto.ledger. Mend what is in the way, then `pgditto repair` puts it back.";
  const [first] = failed;
  if (first) {
    const { entry, error } = first;
    return new PgdittoError("schema", `${displayRemovable(entry)} could not be put back: ${error.message}`, {
      object: displayRemovable(entry),
      side: "target",
      task: "put back",
      sqlstate: error.sqlstate,
      detail: failed.map((one) => `${displayRemovable(one.entry)}: ${one.error.message}\n  ${one.entry.putBack}`).join("\n"),
      hint,
      differences,
      cause: error,
    });
  }
  if (differences.length === 0) return undefined;
  return new PgdittoError(
    "verify",
    "Rows of the target break constraints that it had before. They hold for new rows; the old ones are shown.",
    {
      side: "target",
      task: "put back",
      differences,
      hint,
    },
  );
}

function nodesOf(entries: readonly LedgerEntry[]): PutBackNode[] {
  const nodes: PutBackNode[] = [];
  let before: string[] = [];
  for (const kinds of ORDER) {
    // the last that was taken off comes back first
    const rank = entries.filter((entry) => kinds.includes(entry.kind)).toReversed();
    const adding = rank
      .filter((entry) => entry.state === "off")
      .map((entry): PutBackNode => {
        const table = `${entry.schema}.${entry.table}`;
        // a foreign key locks two tables, and takes a moment
        const key = entry.kind === "foreign-key" ? "foreign keys" : table;
        return {
          id: `put-back:${entry.id}`,
          after: before,
          cost: 1,
          locks: [{ key, exclusive: entry.kind !== "index" }],
          entry,
          step: "put-back",
        };
      });
    const added = adding.map((node) => node.id);
    const validating = rank
      .filter((entry) => entry.validate !== undefined)
      .map((entry): PutBackNode => ({
        id: `validate:${entry.id}`,
        after: [...before, ...added],
        cost: 1,
        // VALIDATE takes SHARE UPDATE EXCLUSIVE, of which a table bears one (manual 13.3)
        locks: [{ key: `${entry.schema}.${entry.table}`, exclusive: true }],
        entry,
        step: "validate",
      }));
    nodes.push(...adding, ...validating);
    if (adding.length + validating.length > 0) before = [...added, ...validating.map((node) => node.id)];
  }
  return nodes;
}
