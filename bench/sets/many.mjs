/** 2,000 small tables in ten schemas with keys, and 300 partitions: what a run costs per table. */
export const many = {
  name: "many",
  title: "2,000 small tables with keys and indexes, 300 partitions",
  make: async ({ sql, scale }) => {
    await sql(smallTables(10, Math.max(1, Math.round(200 * scale))));
    await sql(partitions(Math.max(1, Math.round(300 * scale))));
  },
};

/**
 * So many schemas of `per` tables each, every one with a primary key, an index, 20 rows and a foreign key to the first of its schema.
 * A commit every 100 tables: each takes several locks until then, and a server's lock table holds some 6,400.
 */
export function smallTables(schemas, per) {
  return `
DO $$
DECLARE s int; t int;
BEGIN
  FOR s IN 1..${schemas} LOOP
    EXECUTE format('CREATE SCHEMA s%s', s);
    FOR t IN 1..${per} LOOP
      EXECUTE format('CREATE TABLE s%s.t%s (id serial PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now(), ref int)', s, t);
      EXECUTE format('INSERT INTO s%s.t%s (name, at, ref) SELECT md5(i::text), ''2024-01-01Z'', i %% 10 + 1 FROM generate_series(1, 20) i', s, t);
      EXECUTE format('CREATE INDEX ON s%s.t%s (name)', s, t);
      IF t > 1 THEN EXECUTE format('ALTER TABLE s%s.t%s ADD FOREIGN KEY (ref) REFERENCES s%s.t1 (id)', s, t, s); END IF;
      IF t % 100 = 0 THEN COMMIT; END IF;
    END LOOP;
    COMMIT;
  END LOOP;
END $$`;
}

function partitions(count) {
  return `
DO $$
DECLARE t int;
BEGIN
  CREATE TABLE events (id bigint, day int, body text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
  FOR t IN 0..${count - 1} LOOP
    EXECUTE format('CREATE TABLE events_%s PARTITION OF events FOR VALUES FROM (%s) TO (%s)', t, t, t + 1);
  END LOOP;
  INSERT INTO events SELECT i, i % ${count}, md5(i::text) FROM generate_series(1, 30000) i;
END $$`;
}
