import { TYPE_COLUMNS, TYPE_FROM, type TypeRow } from "./type-rows.ts";
import { quoteLiteral, quoteQualified } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";

/** Expressions that give equal values exactly when a column holds the same value, on servers of whatever version. */
export interface ValueForm {
  /** @param column An expression of the type, already quoted. */
  hashed: (column: string) => string;
  /** The value as text that every client can read. */
  shown: (column: string) => string;
  /** True where the value is shown as this text; by an index, where the type is PostgreSQL's own. */
  equals: (column: string, text: string) => string;
}

/** By type's OID on the server that was asked. */
export type ValueForms = (typeOid: number) => ValueForm;

/** Their binary form is the value, bit for bit, and the same in PostgreSQL 12 to 18; no text in it that would be converted. */
const EXACT = new Set(
  (
    "bool bytea char int2 int4 int8 oid money numeric uuid bit varbit date time timetz timestamp timestamptz interval " +
    "inet cidr macaddr macaddr8 pg_lsn xid cid tid int4range int8range numrange daterange tsrange tstzrange"
  ).split(" "),
);
/** The same, but the server converts them to the client's encoding. */
const TEXTS = new Set("text varchar bpchar name json jsonb tsvector".split(" "));
/** The sign of NaN is lost in text, and means nothing. */
const FLOATS = new Set(["float4", "float8"]);

/**
 * Everything that is not known to have one binary form goes as the text of its output function: types of users and extensions, whose
 * binary form has OIDs that differ between servers (enums, composites, arrays of them), `reg…` types, which are OIDs, xml, geometry,
 * and arrays of floats. `format('%L')` quotes, so that NULL is no text and no separator is needed; a cast to text may be the user's.
 * @param encoding Of both databases, where it is one but not UTF8: text is taken as it is then, for there may be no conversion.
 */
export async function readValueForms(session: Session, encoding: string | null): Promise<ValueForms> {
  const rows = await session.query<TypeRow>(`SELECT ${TYPE_COLUMNS} ${TYPE_FROM}`);
  const types = new Map(rows.map((row) => [row.oid, row]));
  const asText = (column: string): string => `pg_catalog.format('%L', ${column})`;
  const unconverted = (column: string): string =>
    encoding === null ? asText(column) : `pg_catalog.convert_to(${asText(column)}, ${quoteLiteral(encoding)})`;

  const isOwn = (type: TypeRow | undefined, names: ReadonlySet<string>): boolean =>
    type?.schema === "pg_catalog" && type.kind !== "d" && names.has(type.name);
  const isBinary = (type: TypeRow | undefined): boolean => isOwn(type, EXACT) || (encoding === null && isOwn(type, TEXTS));

  const baseOf = (type: TypeRow | undefined): TypeRow | undefined => (type?.kind === "d" ? baseOf(types.get(type.base)) : type);

  return (oid) => {
    const type = types.get(oid);
    const base = baseOf(type);
    // a record carries the types of its columns, and a domain has another OID on another server
    const based = (column: string): string => (base && base !== type ? `${column}::${quoteQualified(base.schema, base.name)}` : column);
    // bytes that mean nothing may be no text to a client
    const opaque = encoding === "SQL_ASCII" && !isOwn(base, EXACT) && !isOwn(base, FLOATS);
    const own = isOwn(base, EXACT) || isOwn(base, FLOATS) || (isOwn(base, TEXTS) && !opaque);
    const plain = (column: string): string => `pg_catalog.format('%s', ${column})`;
    const shown = (column: string): string =>
      opaque ? `pg_catalog.encode(pg_catalog.convert_to(${plain(column)}, 'SQL_ASCII'), 'escape')` : plain(column);
    const equals = (column: string, text: string): string =>
      own && base
        ? `${based(column)} = ${quoteLiteral(text)}::${quoteQualified(base.schema, base.name)}`
        : `${shown(column)} = ${quoteLiteral(text)}`;
    const ownArray = base?.isArray === true && base.schema === "pg_catalog" && isBinary(types.get(base.element));
    if (isBinary(base) || ownArray) return { hashed: based, shown, equals };
    if (base && isOwn(base, FLOATS)) {
      const nan = `'NaN'::pg_catalog.${base.name}`;
      return { hashed: (column) => `CASE WHEN ${based(column)} = ${nan} THEN ${nan} ELSE ${based(column)} END`, shown, equals };
    }
    return { hashed: unconverted, shown, equals };
  };
}
