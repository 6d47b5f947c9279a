import { PgdittoError } from "../errors.ts";
import { connect } from "../postgres/connect.ts";
import { describeConnection } from "../postgres/connection-config.ts";
import { isEmptyDatabase } from "../target/existing.ts";
import { throwIfAborted } from "../util/wait.ts";
import { applicationName, type Opened } from "./open.ts";
import type { ReplaceQuestion, Run } from "./run.ts";

/**
 * A database that exists, holds something and was not made by pgditto is replaced only with somebody's word.
 * @throws PgdittoError `not-confirmed`.
 */
export async function confirmTarget(run: Run, opened: Pick<Opened, "existing">): Promise<void> {
  const { config } = run;
  const { existing } = opened;
  if (!existing || existing.origin !== undefined || config.yes) return;
  const bytes = await sizeUnlessEmpty(run);
  if (bytes === undefined) return;
  await askWhoever(run, { owner: existing.owner, bytes }, (target) => ({
    message: `The target ${target} exists, is not empty and was not made by pgditto.`,
    hint: "Replace it with --yes (in a crontab too, the first time), or keep the old one as well: --yes --keep-previous.",
  }));
}

/** Asks whoever is there. @param refuse What to say where nobody is. @throws PgdittoError `not-confirmed`. */
export async function askWhoever(
  run: Run,
  about: Omit<ReplaceQuestion, "database" | "target">,
  refuse: (target: string) => { message: string; hint: string },
): Promise<void> {
  const target = describeConnection(run.config.target);
  if (!run.confirm) {
    const { message, hint } = refuse(target);
    throw new PgdittoError("not-confirmed", message, { object: target, side: "target", hint });
  }
  const yes = await run.confirm({ database: run.config.target.database, target, ...about });
  throwIfAborted(run.signal); // Ctrl+C is no answer
  if (yes) return;
  throw new PgdittoError("not-confirmed", `The target ${target} was not confirmed. It is as it was.`, {
    object: target,
    side: "target",
    hint: "Type the database's name exactly, or pass --yes.",
  });
}

async function sizeUnlessEmpty(run: Run): Promise<number | undefined> {
  await using session = await connect(run.config.target, { applicationName: applicationName(run, "look"), signal: run.signal });
  // programs expect these two on every server, empty or not
  const expected = ["postgres", "template1"].includes(run.config.target.database);
  if (!expected && (await isEmptyDatabase(session))) return undefined;
  const [row] = await session.query<{ bytes: string }>("SELECT pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes");
  return Number(row?.bytes ?? 0);
}
