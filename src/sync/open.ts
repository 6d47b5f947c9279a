import { type DatabaseIdentity, readIdentity } from "../catalog/database.ts";
import { PgdittoError } from "../errors.ts";
import type { EndpointSummary } from "../events.ts";
import type { ConnectionConfig } from "../postgres/connection-config.ts";
import { connect } from "../postgres/connect.ts";
import type { Session } from "../postgres/session.ts";
import { type ExistingTarget, readExisting } from "../target/existing.ts";
import { disposables } from "../util/disposables.ts";
import type { Run } from "./run.ts";
import { onSameCluster } from "./same-server.ts";

/** The sessions that live as long as the run, and what they are connected to. */
export interface Opened extends AsyncDisposable {
  /** On the source: will hold the snapshot. */
  source: Session;
  /** On the target's cluster, in a database that is not the target: holds the run's lock, creates, renames, drops. */
  control: Session;
  sourceIdentity: DatabaseIdentity;
  existing: ExistingTarget | undefined;
}

/** Databases to work from on the target's cluster, in this order; the target itself may be one of them. */
const MAINTENANCE = ["postgres", "template1"];

/** @param patient Also try again when nobody listens: in the middle of a run. */
export async function openSource(run: Run, purpose = "source", patient = false): Promise<Session> {
  return connect(run.config.source, {
    applicationName: applicationName(run, purpose),
    signal: run.signal,
    attempts: run.config.retryCount,
    patient,
  });
}

/** Enters the target's cluster without entering the target: a database cannot be renamed from within. Nor `avoid`, if given. */
export async function openControl(run: Run, purpose = "control", avoid?: string): Promise<Session> {
  const { target } = run.config;
  const candidates = MAINTENANCE.filter((name) => name !== target.database && name !== avoid);
  if (candidates.length === 0) throw new PgdittoError("target-connect", `Neither ${MAINTENANCE.join(" nor ")} is free to work from.`);
  let failure: unknown;
  for (const database of candidates) {
    try {
      return await connect(
        { ...target, database },
        { applicationName: applicationName(run, purpose), signal: run.signal, attempts: run.config.retryCount },
      );
    } catch (error) {
      failure ??= error;
      // only a database that is missing or closed to us is a reason to try the next one
      if (!(error instanceof PgdittoError) || !["3D000", "42501", "28000", "55000"].includes(error.sqlstate ?? "")) break;
    }
  }
  throw failure;
}

/** A session in the target itself: for what works in it as it is. */
export async function openTarget(run: Run, purpose: string, patient = false): Promise<Session> {
  const { config, signal } = run;
  return connect(config.target, { applicationName: applicationName(run, purpose), signal, attempts: config.retryCount, patient });
}

/** A session in the staging database, in the middle of a run: a server that refuses connections is tried again. */
export async function openStaging(run: Run, database: string, purpose: string): Promise<Session> {
  const { config, signal } = run;
  return connect(
    { ...config.target, database },
    { applicationName: applicationName(run, purpose), signal, attempts: config.retryCount, patient: true },
  );
}

export async function open(run: Run, patient = false): Promise<Opened> {
  await using opened = disposables();
  const source = opened.use(await openSource(run, "source", patient));
  const control = opened.use(await openControl(run));
  const sourceIdentity = await readIdentity(source);
  const existing = await readExisting(control, run.config.target.database);
  await refuseSameDatabase(run, { source, control, sourceIdentity, existing });
  return { source, control, sourceIdentity, existing, [Symbol.asyncDispose]: opened.release() };
}

export function summarize(config: ConnectionConfig, session?: Session): EndpointSummary {
  const version = session?.parameters.get("server_version")?.split(" ")[0] ?? "";
  return { host: config.host, port: config.port, user: config.user, database: config.database, version };
}

/** What pg_stat_activity shows; PostgreSQL keeps 63 bytes. */
export function applicationName(run: Run, purpose: string): string {
  return `${ownNames(run)}${purpose} ${run.machine.pid}@${run.machine.hostname}`.slice(0, 63);
}

/** What the names of all sessions of this run begin with. */
export function ownNames(run: Pick<Run, "id">): string {
  return `pgditto ${run.id} `;
}

/** Whatever names lead there: the same cluster and the same OID are the same database. */
export async function refuseSameDatabase(
  run: Run,
  opened: Pick<Opened, "source" | "control" | "sourceIdentity" | "existing">,
): Promise<void> {
  if (opened.existing?.oid !== opened.sourceIdentity.oid || !(await onSameCluster(opened))) return;
  throw new PgdittoError("usage", `Source and target are the same database: ${run.config.target.database}.`, {
    object: run.config.target.database,
    side: "target",
    hint: "Replacing it with itself would lose it. Give the target (ARCHIVE_DB_NAME or --target) another name or another server.",
  });
}
