import type { Difference } from "../errors.ts";
import type { InventoryItem } from "./inventory.ts";

/** Objects that one side has and the other has not, or in another state; `expected` are those that were left out on purpose. */
export function compareInventories(
  source: readonly InventoryItem[],
  target: readonly InventoryItem[],
  expected: (item: InventoryItem) => boolean,
): Difference[] {
  const key = (item: InventoryItem): string => `${item.kind} ${item.object}`;
  const there = new Map(source.map((item) => [key(item), item]));
  const here = new Map(target.map((item) => [key(item), item]));
  const differences: Difference[] = [];
  for (const [name, item] of there) {
    const twin = here.get(name);
    if (twin?.state !== item.state && !expected(item)) {
      differences.push({
        kind: item.kind,
        object: item.object,
        source: item.state || "there",
        target: twin ? twin.state || "there" : "missing",
      });
    }
  }
  for (const [name, item] of here) {
    if (!there.has(name) && !expected(item))
      differences.push({ kind: item.kind, object: item.object, source: "missing", target: item.state || "there" });
  }
  return differences;
}
