import type { PgdittoError } from "../../errors.ts";
import { withFacts } from "../../postgres/server-error.ts";
import { isConnectionLoss, isTransient } from "../../postgres/sqlstate.ts";
import type { Staging } from "../copy/make-staging.ts";
import type { Run } from "../run.ts";

/**
 * Whether the staging database stays behind a failure: where the user asked for it, and where a server or the network was lost, so that hours of
 * copying are not lost with it. Any other failure would come again.
 */
export function staysBehind(run: Run, staging: Staging, error: PgdittoError): boolean {
  if (!staging.exists) return false;
  return run.config.keepStaging || (staging.journal !== undefined && error.code !== "cancelled" && isWeather(error));
}

/** The failure, with what can be done with the database that stays. */
export function tellingWhatStays(error: PgdittoError, staging: Staging): PgdittoError {
  const resumable = staging.journal !== undefined && error.code !== "verify";
  const before = error.hint?.replace(/[,;]? ?(and )?run again\.?$/i, ".").replace(/\.\.$/, ".") ?? "";
  const now = resumable
    ? `What is done stays in ${staging.name}: \`pgditto sync --resume\` goes on with it, \`pgditto cleanup\` removes it.`
    : `The staging database ${staging.name} stays (--keep-staging): look at it, then \`pgditto cleanup\` removes it.`;
  return withFacts(error, { hint: `${before} ${now}`.trim(), resumable });
}

/**
 * Whether this process can go on by itself under a new snapshot: the source's was lost with the connections that had joined it. A
 * server that says nothing is given up.
 */
export function canGoOn(error: PgdittoError): boolean {
  if (!error.resumable || error.sqlstate === "ETIMEDOUT") return false;
  return error.code === "snapshot-lost" || (error.side === "source" && isConnectionLoss(error.sqlstate));
}

function isWeather({ code, sqlstate }: PgdittoError): boolean {
  return code === "snapshot-lost" || isTransient(sqlstate) || isConnectionLoss(sqlstate);
}
