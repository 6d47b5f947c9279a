import type { Session } from "../postgres/session.ts";

export interface LargeObjectInfo {
  oid: number;
  /** Statements that give it owner, privileges, comment and security label; each alone. */
  owner: string;
  grants: readonly string[];
  comment: string | undefined;
  labels: ReadonlyArray<{ provider: string; label: string }>;
}

interface Row {
  oid: number;
  owner: string;
  acl: Array<{ grantee: string | null; privilege: string; grantable: boolean }> | null;
  comment: string | null;
  labels: Array<{ provider: string; label: string }> | null;
}

/**
 * Large objects with what belongs to them. pg_dump moved them between the sections of its script from 16 to 17, and one SELECT a
 * large object is slow, so they are ours whole: list, data and properties.
 */
export async function readLargeObjects(session: Session): Promise<LargeObjectInfo[]> {
  const rows = await session.query<Row>(`
SELECT m.oid, pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(m.lomowner)) AS owner,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'grantee', CASE WHEN a.grantee = 0 THEN NULL ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
      'privilege', a.privilege_type, 'grantable', a.is_grantable))
   FROM pg_catalog.aclexplode(m.lomacl) a) AS acl,
  pg_catalog.obj_description(m.oid, 'pg_largeobject') AS comment,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('provider', s.provider, 'label', s.label))
   FROM pg_catalog.pg_seclabel s WHERE s.objoid = m.oid AND s.classoid = 'pg_catalog.pg_largeobject'::regclass) AS labels
FROM pg_catalog.pg_largeobject_metadata m ORDER BY m.oid`);
  return rows.map((row) => ({
    oid: row.oid,
    owner: row.owner,
    grants: row.acl === null ? [] : grants(row.oid, row.owner, row.acl),
    comment: row.comment ?? undefined,
    labels: row.labels ?? [],
  }));
}

function grants(oid: number, owner: string, acl: NonNullable<Row["acl"]>): string[] {
  const give = acl.map(
    (item) =>
      `GRANT ${item.privilege} ON LARGE OBJECT ${oid} TO ${item.grantee ?? "PUBLIC"}${item.grantable && item.grantee !== owner ? " WITH GRANT OPTION" : ""}`,
  );
  return [`REVOKE ALL ON LARGE OBJECT ${oid} FROM PUBLIC`, `REVOKE ALL ON LARGE OBJECT ${oid} FROM ${owner}`, ...give];
}
