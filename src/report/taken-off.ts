import { groupBy } from "../util/group-by.ts";
import { printable } from "./style.ts";

/** For people, one line a kind. */
export function renderTakenOff(things: ReadonlyArray<{ kind: string; object: string }>): string[] {
  if (things.length === 0) return [];
  const lines = [...groupBy(things, ({ kind }) => kind)].map(
    ([kind, ofKind]) => `  ${kind.replace("-", " ")}: ${ofKind.map(({ object }) => printable(object)).join(", ")}`,
  );
  return ["Taken off while rows come in, and put back:", ...lines];
}
