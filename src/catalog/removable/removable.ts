import { displayName, quoteIdent, quoteLiteral, quoteQualified } from "../../postgres/quote.ts";

export type RemovableKind = "foreign-key" | "check" | "unique" | "exclusion" | "not-null" | "index" | "trigger" | "row-security";

/** Something that can be taken off a table for a while, with the exact statements for it. */
export interface Removable {
  kind: RemovableKind;
  table: { oid: number; schema: string; name: string };
  /** Of the constraint, index or trigger; of a column, for a NOT NULL that has no name; of the table, for row security. */
  name: string;
  takeOff: string;
  /** One transaction; it may be several statements (comments go with what they are on). */
  putBack: string;
  /** A constraint that was valid is put back NOT VALID; this then makes it valid. */
  validate: string | undefined;
}

export type RemovableTable = Removable["table"];

export function tableSql({ schema, name }: RemovableTable): string {
  return quoteQualified(schema, name);
}

/** For people: `public.orders: orders_customer_id_fkey`. */
export function displayRemovable({ schema, table, name }: { schema: string; table: string; name: string }): string {
  return `${displayName(schema, table)}: ${name}`;
}

/** Where it is in the ledger's words: for `displayRemovable`, and for looking it up. */
export function placeOf({ table, name }: Pick<Removable, "table" | "name">): { schema: string; table: string; name: string } {
  return { schema: table.schema, table: table.name, name };
}

/** `ADD CONSTRAINT` with what hangs on it. */
export function addConstraintSql(table: RemovableTable, name: string, definition: string, comment: string | null): string {
  const on = comment === null ? "" : `; COMMENT ON CONSTRAINT ${quoteIdent(name)} ON ${tableSql(table)} IS ${quoteLiteral(comment)}`;
  return `ALTER TABLE ${tableSql(table)} ADD CONSTRAINT ${quoteIdent(name)} ${definition}${on}`;
}

export function dropConstraintSql(table: RemovableTable, name: string): string {
  return `ALTER TABLE ${tableSql(table)} DROP CONSTRAINT ${quoteIdent(name)}`;
}

export function validateSql(table: RemovableTable, name: string): string {
  return `ALTER TABLE ${tableSql(table)} VALIDATE CONSTRAINT ${quoteIdent(name)}`;
}
