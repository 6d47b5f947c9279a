import { join } from "node:path";

import { sql } from "../sql.mjs";

const TABLE = "CREATE TABLE big (id bigint, customer uuid, at timestamptz, amount numeric(12,2), note text, data jsonb)";

/** The rows of one large table alone, into a table without indexes, in the same format: the relay against a pipe of two psql. */
export function rowsOnly({ source, target, clients, root }) {
  const contender = (name, command) => ({
    name: `rows only: ${name}`,
    kind: "rows",
    intoEmpty: true,
    prepare: async () => void (await sql(target, TABLE)),
    command,
  });
  const relay = contender("pgditto's relay", `exec node '${join(root, "bench/programs/relay.mjs")}' '${source}' '${target}'`);
  if (clients === undefined) return [relay];
  const from = `psql -qX -d '${source}' -c 'COPY big TO STDOUT (FORMAT binary)'`;
  return [relay, contender("psql | psql", `${from} | psql -qX -d '${target}' -c 'COPY big FROM STDIN (FORMAT binary)'`)];
}

/** The relay without servers: what the event loop itself can carry, alone and with many streams. */
export function fromMemory({ scale, root }) {
  const gigabytes = Math.max(0.05, 4 * scale);
  return [1, 8].map((streams) => ({
    name: `relay from memory, ${streams} ${streams === 1 ? "stream" : "streams"}`,
    kind: "memory",
    command: `exec node '${join(root, "bench/programs/relay-memory.mjs")}' ${gigabytes} ${streams}`,
  }));
}
