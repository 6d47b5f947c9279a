import { TYPE_COLUMNS, TYPE_FROM, type TypeRow } from "./type-rows.ts";
import { FIRST_NORMAL_OID } from "../postgres/first-normal-oid.ts";
import type { Session } from "../postgres/session.ts";

interface JudgedType extends TypeRow {
  binary: boolean;
  subtype: number;
  attributes: number[];
  extension: string | null;
}

/** Why a column's values cannot pass in binary form; undefined when they can. */
export type BinaryObstacle = (typeOid: number) => string | undefined;

/** Values name objects by OID (in binary) or by name (in text): only the name means the same on another server. */
const NAMES_OBJECTS = new Set([
  "regproc",
  "regprocedure",
  "regoper",
  "regoperator",
  "regclass",
  "regtype",
  "regrole",
  "regnamespace",
  "regconfig",
  "regdictionary",
  "regcollation",
]);

/**
 * Decides for every type in use whether COPY may use its binary form: both ends need send and receive functions, and nothing in
 * the bytes may depend on the server. Arrays and composites carry the OIDs of their parts, so with parts that the user made,
 * they go as text.
 */
export async function readBinarySafety(session: Session, sameExtensionVersions: (name: string) => boolean): Promise<BinaryObstacle> {
  const rows = await session.query<JudgedType>(
    // multiranges exist from PostgreSQL 14
    TYPES.replace("MULTIRANGE", session.serverVersion >= 140_000 ? "OR r.rngmultitypid = t.oid" : ""),
  );
  const types = new Map(rows.map((row) => [row.oid, row]));
  const known = new Map<number, string | undefined>();

  const judge = (oid: number): string | undefined => {
    if (known.has(oid)) return known.get(oid);
    known.set(oid, undefined); // a type that contains itself
    const type = types.get(oid);
    const verdict = type ? obstacle(type) : `type ${oid} is not in the catalog`;
    known.set(oid, verdict);
    return verdict;
  };

  const obstacle = (type: JudgedType): string | undefined => {
    if (type.schema === "pg_catalog" && NAMES_OBJECTS.has(type.name)) return `${type.name} names objects by OID in binary`;
    if (type.name === "xml" && type.schema === "pg_catalog") return "xml gets an encoding declaration in binary";
    // the server sends an empty query as one without operands, and refuses to take that back (tsqueryrecv, all versions)
    if (type.name === "tsquery" && type.schema === "pg_catalog") return "an empty tsquery cannot be received in binary";
    if (!type.binary) return `type ${type.name} has no binary form`;
    if (type.kind === "d") return judge(type.base);
    if (type.isArray) {
      return type.element >= FIRST_NORMAL_OID
        ? `arrays of ${types.get(type.element)?.name ?? "a user's type"} hold its OID in binary`
        : judge(type.element);
    }
    if (type.kind === "c") {
      const foreign = type.attributes.find((attribute) => attribute >= FIRST_NORMAL_OID);
      return foreign === undefined
        ? type.attributes.map(judge).find((reason) => reason !== undefined)
        : `rows of ${type.name} hold the OID of ${types.get(foreign)?.name ?? "a user's type"} in binary`;
    }
    if (type.kind === "r" || type.kind === "m") return judge(type.subtype);
    if (type.kind === "b" && type.oid >= FIRST_NORMAL_OID) {
      if (type.extension === null) return `type ${type.name} is the database's own`;
      if (!sameExtensionVersions(type.extension))
        return `type ${type.name} of extension ${type.extension} has another version on the target`;
    }
    return undefined;
  };
  return judge;
}

const TYPES = `
SELECT ${TYPE_COLUMNS},
  t.typsend <> 0 AND t.typreceive <> 0 AS binary,
  COALESCE((SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid MULTIRANGE), 0) AS subtype,
  ARRAY(SELECT a.atttypid FROM pg_catalog.pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)::pg_catalog.oid[] AS attributes,
  (SELECT e.extname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
   WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e') AS extension
${TYPE_FROM}`;
