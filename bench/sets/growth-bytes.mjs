import { bigTable } from "./one.mjs";

/** One table from 0.1 to 10 GB: whether the time per GB stays the same once nothing fits into the servers' memory. */
export const growthBytes = {
  name: "growth-bytes",
  title: "one table, primary key and three indexes",
  points: [0.1, 1, 10],
  unit: { name: "GB", in: "s", seconds: 1 },
  make: async ({ sql, point }) => await sql(bigTable(point / 1.18)), // its scale 1 is 1.18 GB with indexes
};
