/**
 * Settings pinned on every session at both ends: a role's or a database's own settings would otherwise end a long copy or
 * change the text of a value on its way. The first one is the answer to CVE-2018-1058.
 */
export function pinnedSettings(serverVersion: number): string {
  const settings: Record<string, string> = {
    statement_timeout: "0",
    lock_timeout: "0",
    idle_in_transaction_session_timeout: "0",
    DateStyle: "'ISO, YMD'",
    IntervalStyle: "postgres",
    TimeZone: "'UTC'",
    extra_float_digits: "3",
    bytea_output: "hex",
    lc_monetary: "'C'",
    xmloption: "content",
    standard_conforming_strings: "on",
    // off, arrays with NULLs in them could not be read back
    array_nulls: "on",
    transform_null_equals: "off",
    quote_all_identifiers: "off",
    row_security: "off",
    check_function_bodies: "off",
    client_min_messages: "warning",
    default_transaction_read_only: "off",
    default_transaction_isolation: "'read committed'",
    default_transaction_deferrable: "off",
    jit: "off",
    // otherwise a COPY of a large table may begin in its middle, and the copy has lost the order of a clustered one
    synchronize_seqscans: "off",
    vacuum_cost_delay: "0",
    // The swap commits with full durability, and its WAL record lies behind all of these.
    synchronous_commit: "off",
  };
  const sets = Object.entries({ ...settings, ...newerTimeouts(serverVersion) }).map(([name, value]) => `SET ${name} = ${value}`);
  return ["SELECT pg_catalog.set_config('search_path', '', false)", "SET client_encoding = 'UTF8'", ...sets].join("; ");
}

/**
 * For a session that the user's own SQL runs in, once `DISCARD ALL` has taken everything else off it: names are looked for where people expect it, and nothing
 * of a role's own settings ends it early, keeps it from writing, or changes how its text is read.
 */
export function ordinarySettings(serverVersion: number): string {
  const settings: Record<string, string> = {
    search_path: '"$user", public',
    client_encoding: "'UTF8'",
    standard_conforming_strings: "on",
    statement_timeout: "0",
    lock_timeout: "0",
    idle_in_transaction_session_timeout: "0",
    // on, an UPDATE as a role under row-level security changes some rows, silently; off, it is an error
    row_security: "off",
    default_transaction_read_only: "off",
    default_transaction_isolation: "'read committed'",
    default_transaction_deferrable: "off",
    ...newerTimeouts(serverVersion),
  };
  return Object.entries(settings)
    .map(([name, value]) => `SET ${name} = ${value}`)
    .join("; ");
}

function newerTimeouts(serverVersion: number): Record<string, string> {
  return {
    ...(serverVersion >= 140_000 ? { idle_session_timeout: "0" } : {}),
    ...(serverVersion >= 170_000 ? { transaction_timeout: "0" } : {}),
  };
}
