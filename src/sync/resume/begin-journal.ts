import type { Session } from "../../postgres/session.ts";
import { createJournal, type Journal, journalSchema, NOTHING_HELD } from "../../tasks/journal.ts";
import { durableBoundary } from "./durable-boundary.ts";
import { type JournalFacts, readOwnFacts } from "./journal-facts.ts";
import type { Staging } from "../copy/make-staging.ts";
import type { Opened } from "../open.ts";
import type { SourceContents } from "../read-source.ts";
import type { Run } from "../run.ts";
import { laterAwaited } from "../../util/wait.ts";

/** The journal of a new staging database: from here on a later run can go on with it. */
export async function beginJournal(
  run: Run,
  opened: Opened,
  contents: SourceContents,
  options: { staging: Staging; session: Session },
): Promise<Journal> {
  const { staging, session } = options;
  const facts: JournalFacts = {
    ...(await readOwnFacts(run, opened)),
    lsn: contents.position.lsn,
    targetDropped: staging.targetDropped,
  };
  const schema = journalSchema(run.id);
  await createJournal(session, schema, JSON.stringify(facts), databaseKeys(contents));
  staging.journal = { schema, boundary: laterAwaited(durableBoundary(run, opened.source, contents.position)), held: NOTHING_HELD };
  return staging.journal;
}

/** Encoding, locale and owner are the staging database's already. */
function databaseKeys({ entries }: SourceContents): string[] {
  return entries.filter((entry) => entry.type === "DATABASE").map((entry) => entry.key);
}
