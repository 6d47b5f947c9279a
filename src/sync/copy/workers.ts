import { PgdittoError } from "../../errors.ts";
import { connect } from "../../postgres/connect.ts";
import { renewable, type RenewableSession } from "../../postgres/renewable.ts";
import { quoteQualified } from "../../postgres/quote.ts";
import { importSnapshot } from "../../postgres/snapshot.ts";
import { inSlices } from "../../util/group-by.ts";
import { disposables } from "../../util/disposables.ts";
import { applicationName } from "../open.ts";
import type { Run } from "../run.ts";

/** A place where one task runs at a time: a session on either side, renewed when lost. */
export interface Worker {
  source: RenewableSession;
  target: RenewableSession;
}

export interface WorkersOptions {
  count: number;
  /** The source's; undefined: nothing is asked of the source. */
  snapshot: string | undefined;
  staging: string;
  /** SET statements for the sessions on the staging database. */
  settings: string;
  /** What will be copied. */
  tables: ReadonlyArray<{ schema: string; name: string }>;
}

export interface Workers extends AsyncDisposable {
  list: readonly Worker[];
}

/**
 * How long a worker waits for a table that the holder of the snapshot has locked already. Whoever asks for more than our ACCESS SHARE
 * meanwhile (ALTER TABLE, TRUNCATE) waits for the holder, and a worker would wait behind them: for ever, and unseen by the server.
 */
const LOCK_TIMEOUT = "5s";

/**
 * So many locks the workers take together before anything is copied; a default server has room for about 7,000 (manual 19.12). With
 * more tables each is locked when it is copied, and the time limit above has to do.
 */
const LOCKS_AHEAD = 5000;

/** Connections opened at the same moment; more would look like an attack to some servers and poolers. */
const AT_ONCE = 8;

/**
 * Opens the workers' sessions on the source and lets each import the snapshot before anything is copied: who has joined keeps the
 * view even if the exporting session dies (measured), who has not cannot any more. Each locks the tables too, while nobody waits
 * behind the holder yet: DDL that comes later waits for the run, and the run never for it.
 */
export async function openWorkers(run: Run, options: WorkersOptions): Promise<Workers> {
  const names = options.tables.map((table) => quoteQualified(table.schema, table.name));
  const ahead = names.length * options.count <= LOCKS_AHEAD ? names : [];
  await using opened = disposables();
  const { snapshot } = options;
  const list = Array.from({ length: options.count }, (_, i): Worker => {
    const name = applicationName(run, `worker ${i + 1}`);
    const settings = { applicationName: name, signal: run.signal, attempts: run.config.retryCount, patient: true };
    return {
      source: opened.use(
        renewable(
          () => (snapshot === undefined ? Promise.reject(noSource()) : connect(run.config.source, settings)),
          async (session) => {
            if (snapshot !== undefined) await importSnapshot(session, snapshot);
            await session.run(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
            for (const slice of inSlices(ahead, 500)) await session.run(`LOCK TABLE ${slice.join(", ")} IN ACCESS SHARE MODE`, run.signal);
          },
        ),
      ),
      target: opened.use(
        renewable(
          () => connect({ ...run.config.target, database: options.staging }, settings),
          async (session) => {
            await session.run(options.settings);
          },
        ),
      ),
    };
  });
  if (snapshot !== undefined) for (const slice of inSlices(list, AT_ONCE)) await Promise.all(slice.map((worker) => worker.source.get()));
  return { list, [Symbol.asyncDispose]: opened.release() };
}

function noSource(): PgdittoError {
  return new PgdittoError("internal", "A task asks for the source, which this run does not have.");
}
