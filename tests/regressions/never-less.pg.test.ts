import { expect, test } from "vitest";

import { sync } from "../../src/index.ts";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { copy, warningCodes } from "../support/fidelity.ts";
import { server, urlOf } from "../support/servers.ts";
import { quoteName, sql } from "../support/sql.ts";

const failure = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "no error").catch((error: unknown) => error);

// Nobody was asked about it: it was not there when the run began.
test("a database that somebody creates under the target's name while the run is under way is not replaced", async () => {
  await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT 1 AS i" });
  await using target = reservedDatabase("target");
  let created: Promise<unknown> = Promise.resolve();
  const error = await failure(
    copy(source, target, {
      onEvent: ({ type }) => {
        if (type !== "staging:created") return;
        created = sql(urlOf(server("target"), "postgres"), `CREATE DATABASE ${quoteName(target.name)}`).then(() =>
          target.sql("CREATE TABLE precious AS SELECT 42 AS answer"),
        );
      },
    }),
  );
  await created;
  expect(error).toMatchObject({ code: "swap", object: target.name });
  expect(await target.sql("SELECT answer FROM precious")).toEqual([{ answer: 42 }]);
});

test("--mode recreate does not go together with --keep-previous", async () => {
  await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT 1 AS i" });
  await using target = await freshDatabase("target", { sql: "CREATE TABLE mine AS SELECT 7 AS i" });
  const error = await failure(copy(source, target, { mode: "recreate", keepPrevious: true, yes: true }));
  expect(error).toMatchObject({ code: "usage", object: "--keep-previous" });
  expect(await target.sql("SELECT i FROM mine")).toEqual([{ i: 7 }]);
});

test("the empty database postgres is not taken without asking", async () => {
  await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT 1 AS i" });
  const error = await failure(sync({ source: source.url, target: urlOf(server("target"), "postgres") }));
  expect(error).toMatchObject({ code: "not-confirmed" });
});

// public belongs to pg_database_owner from PostgreSQL 15 on: the tables' owner may use it only once it owns the database.
test("a role that may create databases copies what another role owns, when it is a member of it", async () => {
  const [owner, copier] = [uniqueName("owner"), uniqueName("copier")];
  const postgres = (side: "source" | "target"): string => urlOf(server(side), "postgres");
  for (const side of ["source", "target"] as const) await sql(postgres(side), `CREATE ROLE ${owner}`);
  await sql(postgres("target"), `CREATE ROLE ${copier} LOGIN CREATEDB PASSWORD 'secret' IN ROLE ${owner}`);
  try {
    await using source = await freshDatabase("source", { options: `OWNER ${quoteName(owner)}` });
    await using target = reservedDatabase("target");
    await source.sql(
      `ALTER SCHEMA public OWNER TO ${owner}; CREATE TABLE public.t AS SELECT 1 AS i; ALTER TABLE public.t OWNER TO ${owner}`,
    );
    const as = { url: urlOf({ ...server("target"), user: copier, password: "secret" }, target.name) };
    const { events } = await copy(source, as);
    if (server("target").major >= 15) expect(warningCodes(events)).toContain("no-mark");
    expect(await target.sql("SELECT tableowner FROM pg_tables WHERE tablename = 't'")).toEqual([{ tableowner: owner }]);
  } finally {
    await sql(postgres("source"), `DROP ROLE ${owner}`);
    await sql(postgres("target"), `DROP ROLE ${copier}; DROP ROLE ${owner}`);
  }
});

// The layout of PostgreSQL 14 and older, where public belongs to the bootstrap superuser.
test("an owner who is no superuser copies a database whose schema public belongs to a superuser", async () => {
  const owner = uniqueName("owner");
  const postgres = (side: "source" | "target"): string => urlOf(server(side), "postgres");
  for (const side of ["source", "target"] as const) await sql(postgres(side), `CREATE ROLE ${owner} LOGIN CREATEDB PASSWORD 'secret'`);
  const as = (side: "source" | "target", database: string) => ({
    url: urlOf({ ...server(side), user: owner, password: "secret" }, database),
  });
  try {
    await using source = await freshDatabase("source", { options: `OWNER ${quoteName(owner)}` });
    await using target = reservedDatabase("target");
    await source.sql(
      `ALTER SCHEMA public OWNER TO ${quoteName(server("source").user)}; GRANT ALL ON SCHEMA public TO PUBLIC;
       CREATE TABLE public.t AS SELECT 1 AS i; ALTER TABLE public.t OWNER TO ${owner}`,
    );
    const { events } = await copy(as("source", source.name), as("target", target.name));
    expect(warningCodes(events)).toContain("public-owner");
    expect(await target.sql("SELECT i FROM public.t")).toEqual([{ i: 1 }]);
  } finally {
    for (const side of ["source", "target"] as const) await sql(postgres(side), `DROP ROLE ${owner}`);
  }
});
