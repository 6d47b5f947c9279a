import type { Unreadable } from "../../catalog/requirements.ts";
import type { Obstacle } from "../../errors.ts";
import { displayIdent } from "../../postgres/quote.ts";
import { plural } from "../../util/format.ts";

/** What the source's role may not read, each kind with all its objects and the GRANT that mends it. */
export function readingObstacles(unreadable: Unreadable, role: string): Obstacle[] {
  const { schemas, tables, sequences, rowSecurity, largeObjects } = unreadable;
  const to = displayIdent(role);
  const list: Array<[string, readonly string[], string, (names: string) => string]> = [
    ["no-usage", schemas, "may not look into", (names) => `GRANT USAGE ON SCHEMA ${names} TO ${to};`],
    ["no-select", tables, "may not read", (names) => `GRANT SELECT ON ${names} TO ${to};`],
    ["no-select-sequence", sequences, "may not read", (names) => `GRANT SELECT ON SEQUENCE ${names} TO ${to};`],
    [
      "row-security",
      rowSecurity,
      "would not see all rows (row-level security) of",
      () => `ALTER ROLE ${to} BYPASSRLS; or use a role that has it`,
    ],
  ];
  const found = list
    .filter(([, names]) => names.length > 0)
    .map(([code, names, what, fix]): Obstacle => ({
      code,
      side: "source",
      message: `Role ${to} ${what} ${names.join(", ")}.`,
      fix: fix(names.join(", ")),
    }));
  if (largeObjects > 0) {
    found.push({
      code: "no-select-large-object",
      side: "source",
      message: `Role ${to} may not read ${plural(largeObjects, "large object")}.`,
      fix: "GRANT SELECT ON LARGE OBJECT … TO the role, or use one that owns them.",
    });
  }
  return found;
}
