import { FIRST_NORMAL_OID } from "../postgres/first-normal-oid.ts";
import type { Session } from "../postgres/session.ts";
import { TYPE_COLUMNS, TYPE_FROM, type TypeRow } from "./type-rows.ts";

/** A type that somebody made: what a value of it may be. */
export interface UserType {
  oid: number;
  /** Schema-qualified. */
  name: string;
  /** Of an enum, in their order. */
  labels: readonly string[];
  /** Of a composite type: `name type`. */
  attributes: readonly string[];
  /** Types that it is made of: element, base, attributes'. */
  parts: readonly number[];
}

/** Enums, domains, composites, and arrays of them, by OID; not the row types of tables, and not those of extensions. */
export async function readUserTypes(session: Session): Promise<Map<number, UserType>> {
  const rows = await session.query<TypeRow & { full: string; labels: string[]; attributes: string[]; members: number[] }>(`
SELECT ${TYPE_COLUMNS}, pg_catalog.format_type(t.oid, NULL) AS full,
  ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
  ARRAY(SELECT pg_catalog.format('%I %s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS attributes,
  ARRAY(SELECT a.atttypid FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)::pg_catalog.oid[] AS members
${TYPE_FROM}
WHERE t.oid >= ${FIRST_NORMAL_OID}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')`);
  return new Map(
    rows.map(({ oid, full, labels, attributes, members, base, element }) => [
      oid,
      { oid, name: full, labels, attributes, parts: [base, element, ...members].filter((part) => part !== 0) },
    ]),
  );
}
