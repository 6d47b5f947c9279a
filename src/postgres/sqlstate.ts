/**
 * What is worth another attempt. Keys are SQLSTATEs (appendix A of the manual), their two-character classes, or Node's
 * errno names. The longer key wins; what is not here is never retried: the same statement would fail the same way.
 */
const TRANSIENT: Readonly<Record<string, boolean>> = {
  "08": true, // connection exception
  "08P01": false, // protocol violation: a defect, not weather
  "40001": true, // serialization_failure
  "40P01": true, // deadlock_detected
  "53300": true, // too_many_connections
  "55P03": true, // lock_not_available
  "55006": true, // object_in_use: a database somebody is still connected to
  "57P01": true, // admin_shutdown, pg_terminate_backend
  "57P02": true, // crash_shutdown
  "57P03": true, // cannot_connect_now: starting up
  "57P05": true, // idle_session_timeout
  "25P03": true, // idle_in_transaction_session_timeout
  "25P04": true, // transaction_timeout
  ECONNRESET: true,
  ECONNREFUSED: true,
  ECONNABORTED: true,
  EPIPE: true,
  ETIMEDOUT: true,
  EHOSTUNREACH: true,
  ENETUNREACH: true,
  EAI_AGAIN: true,
};

export function isTransient(code: string | undefined): boolean {
  if (code === undefined) return false;
  return TRANSIENT[code] ?? (code.length === 5 ? TRANSIENT[code.slice(0, 2)] : undefined) ?? false;
}

/** True when the connection itself is gone and a new session is needed. */
export function isConnectionLoss(code: string | undefined): boolean {
  if (code === undefined) return false;
  return code.startsWith("08") || code.startsWith("57P0") || code.startsWith("E") || code === "25P03" || code === "25P04";
}
