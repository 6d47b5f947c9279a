import { PgdittoError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { findLeftovers } from "../../target/leftovers.ts";
import { stagingName } from "../../target/names.ts";
import { holdRun } from "../../target/run-lock.ts";
import { terminateSessions } from "../../target/staging.ts";
import { hasJournal, journalSchema, readFacts } from "../../tasks/journal.ts";
import { sleep } from "../../util/wait.ts";
import { factsThatDiffer, type JournalFacts, parseFacts, readOwnFacts } from "./journal-facts.ts";
import { type Opened, openStaging } from "../open.ts";
import { info, type Run } from "../run.ts";

/** What an earlier run left, and can be gone on with. */
export interface Resumable {
  /** The earlier run's id; it is in the names of the staging database and of the journal. */
  run: string;
  staging: string;
  facts: JournalFacts;
}

/** Milliseconds for the sessions of a dead run to end: an index that is being built notices at the next interrupt check. */
const END_MS = 30_000;

/**
 * The newest staging database of this target that has a journal and whose run is dead; from here on this run holds it. The dead run's
 * sessions may still be at work on the server, which has not noticed yet: they are ended first. None: it is said, and a new run begins.
 * @throws PgdittoError `not-resumable` when it was made from something else or in another way; `server` when the sessions do not end.
 */
export async function findResumable(run: Run, opened: Opened): Promise<Resumable | undefined> {
  const { control } = opened;
  const { target } = run.config;
  const staged = (await findLeftovers(control, target.database)).filter(
    (leftover) => (!leftover.alive || leftover.run === run.id) && leftover.object === stagingName(target.database, leftover.run),
  );
  for (const leftover of staged.toSorted((a, b) => (a.run < b.run ? 1 : -1))) {
    await endSessions(run, control, leftover.object);
    const facts = await factsOf(run, leftover.object, leftover.run);
    if (!facts) continue;
    const differences = factsThatDiffer(facts, await readOwnFacts(run, opened));
    if (differences.length > 0) throw notResumable(leftover.object, differences);
    await holdRun(control, leftover.run);
    return { run: leftover.run, staging: leftover.object, facts };
  }
  if (run.config.resume) info(run, "nothing-to-resume", "There is nothing to go on with (--resume): this is a new run.");
  return undefined;
}

function notResumable(staging: string, differences: readonly string[]): PgdittoError {
  return new PgdittoError("not-resumable", `--resume cannot go on with ${staging}: ${differences.join("; ")}.`, {
    object: staging,
    side: "target",
    hint: "Give the same source and options as then. Or leave --resume out: the run starts anew, and drops what the earlier one left.",
  });
}

async function factsOf(run: Run, staging: string, id: string): Promise<JournalFacts | undefined> {
  await using session = await openStaging(run, staging, "resume");
  const schema = journalSchema(id);
  // a run that died before it had made the journal, or after its end
  return (await hasJournal(session, schema)) ? parseFacts(await readFacts(session, schema)) : undefined;
}

async function endSessions(run: Run, control: Session, database: string): Promise<void> {
  const until = performance.now() + END_MS;
  for (;;) {
    await terminateSessions(control, database);
    const others = await control.query<{ pid: number }>("SELECT pid FROM pg_catalog.pg_stat_activity WHERE datname = $1", [database]);
    if (others.length === 0) return;
    if (performance.now() > until) {
      throw new PgdittoError("server", `Sessions of an earlier run in ${database} do not end.`, {
        object: database,
        side: "target",
        detail: `Backends on the target's server: ${others.map(({ pid }) => pid).join(", ")}.`,
        hint: "End them with pg_terminate_backend() as a role that may, and run again.",
      });
    }
    await sleep(100, run.signal);
  }
}
