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
  if (serverVersion >= 140_000) settings["idle_session_timeout"] = "0";
  if (serverVersion >= 170_000) settings["transaction_timeout"] = "0";
  const sets = Object.entries(settings).map(([name, value]) => `SET ${name} = ${value}`);
  return ["SELECT pg_catalog.set_config('search_path', '', false)", "SET client_encoding = 'UTF8'", ...sets].join("; ");
}
