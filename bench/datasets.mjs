// Deterministic data sets. Sizes are factors: 1 is the size that README's figures were measured with.

/** One large table with three indexes and a primary key: about 1 GB at scale 1. */
const one = (scale) => `
CREATE TABLE big (id bigint PRIMARY KEY, customer uuid NOT NULL, at timestamptz NOT NULL, amount numeric(12,2), note text, data jsonb);
INSERT INTO big SELECT i, md5(i::text)::uuid, timestamptz '2024-01-01 00:00:00+00' + i * interval '7 seconds', (i % 100000) / 100.0,
  repeat(md5((i * 3)::text), 3), jsonb_build_object('id', i, 'tags', ARRAY[i % 7, i % 11], 'name', md5(i::text))
FROM generate_series(1, ${Math.round(3_000_000 * scale)}) i;
CREATE INDEX ON big (customer);
CREATE INDEX ON big (at);
CREATE INDEX ON big (amount);
`;

/** 2,000 small tables in ten schemas with keys, and 300 partitions. */
const many = (scale) => `
DO $$
DECLARE s int; t int; per int := ${Math.max(1, Math.round(200 * scale))};
BEGIN
  FOR s IN 1..10 LOOP
    EXECUTE format('CREATE SCHEMA s%s', s);
    FOR t IN 1..per LOOP
      EXECUTE format('CREATE TABLE s%s.t%s (id serial PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now(), ref int)', s, t);
      EXECUTE format('INSERT INTO s%s.t%s (name, ref) SELECT md5(i::text), i %% 10 + 1 FROM generate_series(1, 20) i', s, t);
      EXECUTE format('CREATE INDEX ON s%s.t%s (name)', s, t);
      IF t > 1 THEN EXECUTE format('ALTER TABLE s%s.t%s ADD FOREIGN KEY (ref) REFERENCES s%s.t1 (id)', s, t, s); END IF;
    END LOOP;
    COMMIT;
  END LOOP;
  CREATE TABLE events (id bigint, day int, body text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
  FOR t IN 0..${Math.max(1, Math.round(300 * scale)) - 1} LOOP
    EXECUTE format('CREATE TABLE events_%s PARTITION OF events FOR VALUES FROM (%s) TO (%s)', t, t, t + 1);
  END LOOP;
  INSERT INTO events SELECT i, i % ${Math.max(1, Math.round(300 * scale))}, md5(i::text) FROM generate_series(1, 30000) i;
END $$;
`;

/** Foreign keys, partitions, jsonb, TOAST, a materialized view: about 2 GB at scale 1. */
const mixed = (scale) => `
${one(scale)}
CREATE TABLE accounts (id int PRIMARY KEY, name text NOT NULL, balance numeric(14,2) NOT NULL);
INSERT INTO accounts SELECT i, 'account ' || i, i * 1.5 FROM generate_series(1, ${Math.round(200_000 * scale) + 1}) i;
CREATE TABLE moves (id bigint GENERATED ALWAYS AS IDENTITY, account int NOT NULL REFERENCES accounts (id), at date NOT NULL, amount numeric(12,2), PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
DO $$ BEGIN FOR m IN 0..23 LOOP EXECUTE format('CREATE TABLE moves_%s PARTITION OF moves FOR VALUES FROM (%L) TO (%L)', m, date '2024-01-01' + make_interval(months => m), date '2024-01-01' + make_interval(months => m + 1)); END LOOP; END $$;
INSERT INTO moves (account, at, amount) SELECT i % ${Math.round(200_000 * scale)} + 1, date '2024-01-01' + i % 730, (i % 5000) / 7.0 FROM generate_series(1, ${Math.round(4_000_000 * scale)}) i;
CREATE INDEX ON moves (account);
CREATE TABLE documents (id int PRIMARY KEY, title text, body text, meta jsonb);
INSERT INTO documents SELECT i, 'document ' || i, (SELECT string_agg(md5((i * n)::text), '') FROM generate_series(1, 400) n), jsonb_build_object('pages', i % 90, 'by', md5(i::text))
FROM generate_series(1, ${Math.round(30_000 * scale)}) i;
CREATE INDEX ON documents USING gin (meta);
CREATE MATERIALIZED VIEW totals AS SELECT account, count(*) AS moves, sum(amount) AS amount FROM moves GROUP BY account;
CREATE UNIQUE INDEX ON totals (account);
`;

export const DATASETS = { one, many, mixed };
