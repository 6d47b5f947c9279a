import { displayRemovable } from "../../catalog/removable/removable.ts";
import { asPgdittoError, type Difference, PgdittoError } from "../../errors.ts";
import { withFacts } from "../../postgres/server-error.ts";
import type { Session } from "../../postgres/session.ts";
import { isConnectionLoss } from "../../postgres/sqlstate.ts";
import { runGraph } from "../../scheduler/run-graph.ts";
import { closeLedger, type LedgerEntry, markBack, putBackEntry, validateEntry } from "../../target/ledger.ts";
import { patiently } from "../../target/patiently.ts";
import { plural } from "../../util/format.ts";
import { cancelled } from "../../util/wait.ts";
import type { Run } from "../run.ts";
import { brokenRows } from "./broken-rows.ts";
import { isSameAsThere } from "./made-meanwhile.ts";
import { putBackHint, REPAIR } from "./put-back-hint.ts";
import { type PutBackNode, putBackNodes } from "./put-back-nodes.ts";

/** Rows that break a constraint; it is back NOT VALID where that is possible, and stays off where not. */
const BROKEN = new Set(["23502", "23503", "23505", "23514", "23P01"]);
/** It is there: duplicate_object, duplicate_table. */
const THERE = new Set(["42710", "42P07"]);
/** invalid_foreign_key: nothing unique is there to refer to. */
const NO_UNIQUE = "42830";

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
  const done = (entry: LedgerEntry, detail?: string): void => {
    back.push(entry);
    tell(entry, "back", detail);
  };

  await runGraph<PutBackNode, Session>({
    nodes: putBackNodes(entries),
    slots: sessions,
    signal: run.signal,
    run: async (node, session, signal) => {
      if (node.step === "rank") return;
      const { entry, step } = node;
      if (stuck.has(entry.id)) return;
      try {
        const attempt = (): Promise<void> => (step === "put-back" ? putBackEntry : validateEntry)(session, entry, signal);
        await patiently(run.config.retryCount, signal, attempt);
        if (step === "validate" || entry.validate === undefined) done(entry);
      } catch (error) {
        if (signal.aborted) throw cancelled(signal);
        const failure = asPgdittoError(error);
        const state = failure.sqlstate ?? "";
        if (isConnectionLoss(state) || failure.code === "internal") throw failure;
        if (step === "put-back" && THERE.has(state) && (await isSameAsThere(session, entry))) {
          await markBack(session, entry, signal);
          if (entry.validate === undefined) done(entry, "it was there already");
          return;
        }
        stuck.add(entry.id);
        if (BROKEN.has(state)) {
          const rows = await brokenRows(session, entry, failure, signal);
          differences.push(rows);
          tell(entry, step === "validate" ? "not-valid" : "failed", rows.target);
        } else if (state === NO_UNIQUE && differences.some(({ kind }) => kind === "unique")) {
          differences.push({
            kind: entry.kind,
            object: displayRemovable(entry),
            source: "",
            target: "waits for the unique constraint that is off",
          });
          tell(entry, "failed", "it waits for the unique constraint that is off");
        } else {
          const error = THERE.has(state) ? isAnother(failure) : failure;
          failed.push({ entry, error });
          tell(entry, "failed", error.message);
        }
      }
    },
  });
  const [first] = sessions;
  if (first) await closeLedger(first, run.signal);
  return { back, differences, failed };
}

function isAnother(error: PgdittoError): PgdittoError {
  return withFacts(new PgdittoError(error.code, `${error.message}, and it is not the one that was taken off.`, { cause: error }), error);
}

/**
 * The error that a run ends with when something is not as it was: `schema` where something could not be put back, `verify` where rows are
 * in the way.
 * @param again The command that tries once more.
 */
export function notPutBack({ differences, failed }: PutBackResult, again = REPAIR): PgdittoError | undefined {
  const [first] = failed;
  if (first) {
    const { entry, error } = first;
    const one = failed.length === 1;
    return new PgdittoError(
      "schema",
      one
        ? `${displayRemovable(entry)} could not be put back: ${error.message}`
        : `${plural(failed.length, "object")} could not be put back. The first, ${displayRemovable(entry)}: ${error.message}`,
      {
        object: displayRemovable(entry),
        side: "target",
        task: "put back",
        sqlstate: error.sqlstate,
        detail: failed.map((each) => `${displayRemovable(each.entry)}: ${each.error.message}\n  ${statementOf(each.entry)};`).join("\n"),
        hint: putBackHint(failed, again),
        differences,
        cause: error,
      },
    );
  }
  if (differences.length === 0) return undefined;
  return new PgdittoError("verify", "Rows of the target break constraints that it had before.", {
    side: "target",
    task: "put back",
    differences,
    hint: `A constraint that is NOT VALID holds for new rows; the others are off until their rows are mended. Mend the rows and run \`${again}\` again.`,
  });
}

function statementOf(entry: LedgerEntry): string {
  return entry.state === "off" ? entry.putBack : (entry.validate ?? "");
}
