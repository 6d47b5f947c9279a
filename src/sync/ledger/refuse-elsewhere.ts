import { PgdittoError } from "../../errors.ts";
import { displayIdent, quoteLiteral } from "../../postgres/quote.ts";
import type { LedgerEntry } from "../../target/ledger.ts";
import { plural } from "../../util/format.ts";

/**
 * What a copy of a database brought along was taken off there, and whether it belongs here only its owner knows.
 * @throws PgdittoError `preflight` when there is such an entry.
 */
export function refuseElsewhere(database: string, entries: readonly LedgerEntry[], again: string): void {
  const strange = entries.filter(({ elsewhere }) => elsewhere !== undefined);
  const [first] = strange;
  if (!first) return;
  const there = first.elsewhere === database ? "another database of this name" : `another database, ${displayIdent(first.elsewhere ?? "")}`;
  const runs = [...new Set(strange.map(({ run }) => quoteLiteral(run)))].join(", ");
  throw new PgdittoError(
    "preflight",
    `The ledger in ${displayIdent(database)} came with a copy of ${there}: ${plural(strange.length, "thing")} ${strange.length === 1 ? "was" : "were"} taken off there, by run ${first.run}, not here.`,
    {
      object: "pgditto.ledger",
      side: "target",
      hint: `If they are missing here, too, and are to be put back here: \`${again} --yes\`. If this copy is to stay without them: DELETE FROM pgditto.ledger WHERE run IN (${runs});`,
    },
  );
}
