import { connect } from "../postgres/connect.ts";
import { quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";

interface Subscription {
  name: string;
  enabled: boolean;
  slot: string | null;
}

/** One catalog holds those of all databases of the cluster; this much of it everybody may read. */
export async function readSubscriptions(session: Session, database: string): Promise<Subscription[]> {
  return session.query<Subscription>(
    "SELECT s.subname AS name, s.subenabled AS enabled, s.subslotname AS slot FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = $1 ORDER BY 1",
    [database],
  );
}

/**
 * Drops the subscriptions of a database, which DROP DATABASE refuses to do. Their slots on the publisher stay: a copy's subscription
 * names the slot of the source's own one, which is in use. Returns the names of the slots of those that were enabled: they keep WAL on
 * the publisher until somebody drops them.
 */
export async function dropSubscriptions(session: Session, database: string): Promise<string[]> {
  const rows = await readSubscriptions(session, database);
  if (rows.length === 0) return [];
  await using inside = await connect({ ...session.config, database }, { applicationName: "pgditto drop", attempts: 3 });
  for (const name of rows.map((row) => quoteIdent(row.name))) {
    await inside.run(`ALTER SUBSCRIPTION ${name} DISABLE`);
    await inside.run(`ALTER SUBSCRIPTION ${name} SET (slot_name = NONE)`);
    await inside.run(`DROP SUBSCRIPTION ${name}`);
  }
  return rows.flatMap((row) => (row.enabled && row.slot !== null ? [row.slot] : []));
}
