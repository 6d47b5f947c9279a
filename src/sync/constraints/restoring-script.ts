import type { RemovableKind } from "../../catalog/removable/removable.ts";
import { inPutBackOrder } from "../ledger/put-back-nodes.ts";

interface Restorable {
  kind: RemovableKind;
  /** Undefined for what is back, and only its validation is missing. */
  putBack: string | undefined;
  validate: string | undefined;
}

/**
 * The SQL that puts these back, for psql: in the order in which one rests on the other, each in a transaction of its own, so that one which
 * rows stand in the way of keeps no other off. What was valid is validated at the end of its kind.
 * @param title Lines of the comment at the top.
 */
export function restoringScript(things: readonly Restorable[], title: readonly string[]): string {
  const transaction = (sql: string): string => `BEGIN;\n${sql};\nCOMMIT;`;
  const statements = inPutBackOrder(things).flatMap((rank) => [
    ...rank.flatMap(({ putBack }) => (putBack === undefined ? [] : [transaction(putBack)])),
    ...rank.flatMap(({ validate }) => (validate === undefined ? [] : [`${validate};`])),
  ]);
  return `${[
    ...title.map((line) => `-- ${line.replaceAll(/\p{Cc}/gu, " ")}`),
    "SET client_encoding = 'UTF8';",
    "SET standard_conforming_strings = on;",
    "SELECT pg_catalog.set_config('search_path', '', false);",
    ...statements,
  ].join("\n")}\n`;
}
