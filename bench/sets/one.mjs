/**
 * One large table with a primary key and three indexes: about 1 GB at scale 1. Columns of every kind that costs something on the way:
 * a uuid, a time, a numeric, text of middling length, a small jsonb.
 */
export const one = {
  name: "one",
  title: "one table of 1 GB, primary key and three indexes",
  make: async ({ sql, scale }) => await sql(bigTable(scale)),
};

/** SQL that makes and fills the table `big`, and indexes it. */
export function bigTable(scale) {
  return `
    CREATE TABLE big (id bigint PRIMARY KEY, customer uuid NOT NULL, at timestamptz NOT NULL, amount numeric(12,2), note text, data jsonb);
    INSERT INTO big SELECT i, md5(i::text)::uuid, timestamptz '2024-01-01 00:00:00+00' + i * interval '7 seconds', (i % 100000) / 100.0,
      repeat(md5((i * 3)::text), 3), jsonb_build_object('id', i, 'tags', ARRAY[i % 7, i % 11], 'name', md5(i::text))
    FROM generate_series(1, ${Math.max(1, Math.round(3_000_000 * scale))}) i;
    CREATE INDEX ON big (customer);
    CREATE INDEX ON big (at);
    CREATE INDEX ON big (amount);`;
}
