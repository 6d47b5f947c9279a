import { smallTables } from "./many.mjs";

/** Tables of a schema, all but the first with a foreign key to that. Each foreign key makes PostgreSQL read all triggers of the table that it refers to. */
const PER_SCHEMA = 200;

/** From 200 to 20,000 small tables in 1 to 100 schemas: whether the time per table stays the same. */
export const growthTables = {
  name: "growth-tables",
  title: "small tables with a primary key, an index and a foreign key",
  points: [200, 2_000, 20_000],
  unit: { name: "table", in: "ms", seconds: 1000 },
  // pg_dump and pgditto lock every table at once, and a default server's lock table ends at some 6,400
  settings: { max_locks_per_transaction: "1024" },
  make: async ({ sql, point }) => await sql(smallTables(Math.ceil(point / PER_SCHEMA), Math.min(point, PER_SCHEMA))),
};
