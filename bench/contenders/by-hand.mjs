import { join } from "node:path";

/** Two scripts: what pgditto replaces, and what nobody who uses PostgreSQL's own programs gets below. */
export function byHand({ source, target, maintenance, clients, root }) {
  if (clients === undefined) return [];
  const script = (name) => join(root, "bench/programs", name);
  return [
    {
      name: "the original's way",
      kind: "copy",
      command: `exec bash '${script("original.sh")}' '${source}' '${target}' '${maintenance}'`,
    },
    { name: "the limit", kind: "copy", intoEmpty: true, command: `exec bash '${script("limit.sh")}' '${source}' '${target}'` },
  ];
}
