import { smallTables } from "./many.mjs";

/** From 200 to 20,000 small tables: whether the time per table stays the same. */
export const growthTables = {
  name: "growth-tables",
  title: "small tables with a primary key, an index and a foreign key",
  points: [200, 2_000, 20_000],
  unit: { name: "table", in: "ms", seconds: 1000 },
  // pg_dump and pgditto lock every table at once, and a default server's lock table ends at some 6,400
  settings: { max_locks_per_transaction: "1024" },
  make: async ({ sql, point }) => await sql(smallTables(Math.max(1, Math.round(point / 10)))),
};
