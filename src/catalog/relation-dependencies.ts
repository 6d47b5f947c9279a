import { FIRST_NORMAL_OID } from "../postgres/first-normal-oid.ts";
import type { Session } from "../postgres/session.ts";
import { USER_SCHEMA } from "./tables.ts";

/** What a table or sequence cannot be created without; its schema is left out. */
export interface RelationDependency {
  /** OID of the table or sequence. */
  relation: number;
  /** OID of a catalog and of the object in it; of an array type, those of its element's; of a row type, those of its relation. */
  refClass: number;
  ref: number;
  /** It is a partition, and `ref` the table that it belongs to. */
  partition: boolean;
}

/** By OID of a default: the table that it belongs to. */
export type Defaults = ReadonlyMap<number, number>;

/** The dependencies of tables and sequences, those of their defaults and CHECK constraints among them (manual 53.18 "pg_depend"). */
export async function readRelationDependencies(session: Session): Promise<{ dependencies: RelationDependency[]; defaults: Defaults }> {
  const dependencies = await session.query<RelationDependency>(DEPENDENCIES);
  const defaults = await session.query<{ oid: number; table: number }>(
    `SELECT oid, adrelid AS table FROM pg_catalog.pg_attrdef WHERE oid >= ${FIRST_NORMAL_OID}`,
  );
  return { dependencies, defaults: new Map(defaults.map(({ oid, table }) => [oid, table])) };
}

const DEPENDENCIES = `
SELECT DISTINCT r.oid AS relation,
  CASE WHEN t.relation IS NULL THEN d.refclassid ELSE 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid END AS "refClass",
  COALESCE(t.relation, t.element, d.refobjid) AS ref,
  r.relispartition AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = r.oid AND i.inhparent = d.refobjid) AS partition
FROM (
  SELECT objid AS relation, refclassid, refobjid FROM pg_catalog.pg_depend WHERE classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  UNION ALL
  SELECT a.adrelid, refclassid, refobjid FROM pg_catalog.pg_depend JOIN pg_catalog.pg_attrdef a ON a.oid = objid
  WHERE classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
  UNION ALL
  SELECT c.conrelid, refclassid, refobjid FROM pg_catalog.pg_depend JOIN pg_catalog.pg_constraint c ON c.oid = objid
  WHERE classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.contype NOT IN ('f', 'p', 'u', 'x')
) d
JOIN pg_catalog.pg_class r ON r.oid = d.relation AND r.relkind IN ('r', 'p', 'S')
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
LEFT JOIN (
  SELECT y.oid, e.oid AS element, c.oid AS relation FROM pg_catalog.pg_type y
  JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN y.typelem <> 0 AND y.typlen = -1 THEN y.typelem ELSE y.oid END
  -- a composite type is a relation, too, but has an entry as a type only
  LEFT JOIN pg_catalog.pg_class c ON c.oid = e.typrelid AND c.relkind <> 'c'
) t ON d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = d.refobjid
WHERE ${USER_SCHEMA} AND d.refobjid >= ${FIRST_NORMAL_OID} AND d.refclassid <> 'pg_catalog.pg_namespace'::pg_catalog.regclass
  AND COALESCE(t.relation, d.refobjid) <> r.oid`;
