import type { Session } from "../postgres/session.ts";

/** By OID of a table: the sequences that its columns own, or take their defaults from. Identity columns own theirs. */
export async function readSequenceUsers(session: Session): Promise<Array<{ schema: string; name: string; table: number }>> {
  return session.query<{ schema: string; name: string; table: number }>(`
SELECT n.nspname AS schema, c.relname AS name, u.table
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN (
  SELECT objid AS sequence, refobjid AS table FROM pg_catalog.pg_depend
  WHERE classid = 'pg_catalog.pg_class'::regclass AND refclassid = 'pg_catalog.pg_class'::regclass AND refobjsubid > 0 AND deptype IN ('a', 'i')
  UNION
  SELECT d.refobjid, a.adrelid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef a ON a.oid = d.objid
  WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
) u ON u.sequence = c.oid
WHERE c.relkind = 'S'`);
}
