import { bigTable } from "./one.mjs";

/**
 * What an application's database looks like: one table that is half of it, partitions by month, documents beyond a page (TOAST), jsonb
 * under GIN, foreign keys between them, and a materialized view over the partitions. About 1.8 GB at scale 1.
 */
export const mixed = {
  name: "mixed",
  title: "a table of 900 MB, partitions, documents in TOAST, jsonb, foreign keys, a materialized view; 1.8 GB",
  make: async ({ sql, scale }) => {
    const rows = (count) => Math.max(1, Math.round(count * scale));
    await sql(bigTable(0.77 * scale)); // 675 MB of rows, 230 MB of indexes
    await sql(accounts(rows(200_000)));
    await sql(moves(rows(3_200_000), rows(200_000)));
    await sql(documents(rows(28_000), rows(200_000)));
    await sql(remarks(rows(600_000), rows(28_000), rows(200_000)));
    await sql(TOTALS);
  },
};

function accounts(count) {
  return `
    CREATE TABLE accounts (id int PRIMARY KEY, name text NOT NULL UNIQUE, parent int REFERENCES accounts (id), balance numeric(14,2) NOT NULL);
    INSERT INTO accounts SELECT i, 'account ' || i, nullif(i / 10, 0), i * 1.5 FROM generate_series(1, ${count}) i`;
}

function moves(count, accounts) {
  return `
    CREATE TABLE moves (id bigint GENERATED ALWAYS AS IDENTITY, account int NOT NULL REFERENCES accounts (id), at date NOT NULL,
      amount numeric(12,2), PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    DO $$ BEGIN
      FOR m IN 0..23 LOOP
        EXECUTE format('CREATE TABLE moves_%s PARTITION OF moves FOR VALUES FROM (%L) TO (%L)', m,
          date '2024-01-01' + make_interval(months => m), date '2024-01-01' + make_interval(months => m + 1));
      END LOOP;
    END $$;
    INSERT INTO moves (account, at, amount) SELECT i % ${accounts} + 1, date '2024-01-01' + i % 730, (i % 5000) / 7.0
    FROM generate_series(1, ${count}) i;
    CREATE INDEX ON moves (account)`;
}

/** Bodies of 12.8 kB; hexadecimal digits of a hash compress to a little more than half. */
function documents(count, accounts) {
  return `
    CREATE TABLE documents (id int PRIMARY KEY, owner int NOT NULL REFERENCES accounts (id), title text, body text, meta jsonb);
    INSERT INTO documents SELECT i, i % ${accounts} + 1, 'document ' || i,
      (SELECT string_agg(md5((i * n)::text), '') FROM generate_series(1, 400) n), jsonb_build_object('pages', i % 90, 'by', md5(i::text))
    FROM generate_series(1, ${count}) i;
    CREATE INDEX ON documents USING gin (meta)`;
}

function remarks(count, documents, accounts) {
  return `
    CREATE TABLE remarks (id bigserial PRIMARY KEY, document int NOT NULL REFERENCES documents (id), author int NOT NULL REFERENCES accounts (id),
      words text NOT NULL);
    INSERT INTO remarks (document, author, words) SELECT i % ${documents} + 1, i % ${accounts} + 1, md5(i::text) FROM generate_series(1, ${count}) i;
    CREATE INDEX ON remarks (document)`;
}

const TOTALS = `
  CREATE MATERIALIZED VIEW totals AS SELECT account, count(*) AS moves, sum(amount) AS amount FROM moves GROUP BY account;
  CREATE UNIQUE INDEX ON totals (account)`;
