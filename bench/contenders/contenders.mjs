import { byHand } from "./by-hand.mjs";
import { dumpsAndRestores } from "./dump-restore.mjs";
import { pgcopydbs } from "./pgcopydb.mjs";
import { pgdittos } from "./pgditto.mjs";
import { fromMemory, rowsOnly } from "./rows-only.mjs";

/**
 * Who runs on a data set, in their order of turns: whatever is installed here, without those that the command line leaves out.
 * `kind` says who is compared with whom: whole copies, rows only, or the relay with nobody.
 */
export function contendersFor(set, place, { only, without }) {
  const all = [
    ...pgdittos(place),
    ...dumpsAndRestores(place),
    ...pgcopydbs(place),
    ...byHand(place),
    ...(set.name === "one" ? [...rowsOnly(place), ...fromMemory(place)] : []),
  ];
  const isNamed = (parts, name) => parts.some((part) => name.includes(part));
  return all.filter(({ name }) => (only.length === 0 || isNamed(only, name)) && !isNamed(without, name));
}
