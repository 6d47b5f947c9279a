import { execFile, spawnSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { databasesOf, expectNoBackends, jsonLines, runBetween, startBetween, until } from "../support/cli-run.ts";
import { freshDatabase, freshShop, reservedDatabase, uniqueName } from "../support/databases.ts";
import { folderOf } from "../support/files.ts";
import { contents } from "../support/oracle.ts";
import { server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const SHOP = `CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL UNIQUE);
  INSERT INTO people SELECT i, 'person' || i || '@private.example' FROM generate_series(1, 500) i;
  CREATE TABLE visits (id serial PRIMARY KEY, person int NOT NULL REFERENCES people, page text);
  INSERT INTO visits (person, page) SELECT 1 + i % 500, '/' || i FROM generate_series(1, 1000) i;
  CREATE TABLE secrets (id int); INSERT INTO secrets SELECT generate_series(1, 50);
  CREATE MATERIALIZED VIEW domains AS SELECT split_part(email, '@', 2) AS domain, count(*) AS n FROM people GROUP BY 1;
  ANALYZE;
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER noted BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION note();`;

/** Not a part of the package, and not everywhere. */
const PSQL = "psql";
const hasPsql = spawnSync(PSQL, ["--version"]).status === 0;

const PRECIOUS = "CREATE TABLE precious AS SELECT n FROM generate_series(1, 7) n";

/** What a stage sees from inside, as one row of `probe.log`. */
const LOOK = (stage: string): string => `INSERT INTO probe.log (stage, path, tables, people, indexes, keys, triggers, filled, journal)
  SELECT '${stage}', current_setting('search_path') || ' ' || current_setting('statement_timeout'),
    (SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace),
    CASE WHEN to_regclass('public.people') IS NULL THEN 0
      ELSE (xpath('//c/text()', query_to_xml('SELECT count(*) AS c FROM public.people', false, false, '')))[1]::text::int END,
    (SELECT count(*) FROM pg_index WHERE indrelid = to_regclass('public.people')),
    (SELECT count(*) FROM pg_constraint WHERE contype = 'f'),
    (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),
    (SELECT count(*) FROM pg_matviews WHERE ispopulated),
    (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgditto%');`;

describe("each stage", () => {
  test("sees what it should, in order, with ordinary settings; anonymised rows pass the proof, and all is built on them", async () => {
    await using source = await freshDatabase("source", { sql: SHOP });
    await using target = await freshDatabase("target", { sql: PRECIOUS });
    await using folder = await folderOf({
      "before.sql": `CREATE SCHEMA probe; CREATE TABLE probe.log (n serial, stage text, path text, tables int, people int, indexes int, keys int, triggers int, filled int, journal int);
        SET search_path = nowhere; SET statement_timeout = '10s'; SELECT 1 FROM probe.log; SET statement_timeout = 0; ${LOOK("before")}`,
      "schema/20.sql": LOOK("after-schema 2"),
      "schema/10.sql": `${LOOK("after-schema 1")} CREATE TEMP TABLE left_over (i int);`,
      "schema/.30.sql": "this is no SQL",
      "schema/readme.md": "nor is this",
      "data.sql": `${LOOK("after-data")} UPDATE people SET email = 'p' || id || '@' || :'domain'; DELETE FROM secrets; CREATE TABLE done AS SELECT to_regclass('left_over') IS NULL AS clean`,
      "after.sql": `${LOOK("after")} SELECT setval('visits_id_seq', 5000)`,
    });
    const before = await contents(source.url);
    const flags = ["before=before.sql", "after-schema=schema/", "after-data=data.sql", "after=after.sql"].flatMap((pair) => [
      "--sql",
      pair,
    ]);
    const { code, stdout, stderr } = await runBetween(
      source,
      target,
      ["--yes", "--json", "--verify", "checksum", ...flags, "--set", "domain=example.com"],
      {
        cwd: folder.path,
      },
    );
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: "" });
    const path = '"$user", public 0';
    const row = (stage: string, seen: Record<string, number>) => ({
      stage,
      path,
      people: 500,
      indexes: 0,
      keys: 0,
      triggers: 0,
      filled: 0,
      journal: 1,
      tables: 3,
      ...seen,
    });
    expect(
      await target.sql("SELECT stage, path, tables, people, indexes, keys, triggers, filled, journal FROM probe.log ORDER BY n"),
    ).toEqual([
      { ...row("before", { tables: 0, people: 0 }), path: "nowhere 0" },
      row("after-schema 1", { people: 0 }),
      row("after-schema 2", { people: 0 }),
      row("after-data", {}),
      row("after", { tables: 4, indexes: 2, keys: 1, triggers: 1, filled: 1, journal: 0 }),
    ]);
    expect(await target.sql("SELECT * FROM done")).toEqual([{ clean: true }]);
    expect(await target.sql("SELECT count(*)::int AS n FROM people WHERE email LIKE '%@example.com'")).toEqual([{ n: 500 }]);
    expect(await target.sql("SELECT domain, n::int FROM domains")).toEqual([{ domain: "example.com", n: 500 }]);
    expect(await target.sql("SELECT count(*)::int AS n, (SELECT last_value::int FROM visits_id_seq) AS last FROM secrets")).toEqual([
      { n: 0, last: 5000 },
    ]);
    // the source's statistics hold values of its rows
    expect(await target.sql("SELECT tablename FROM pg_stats WHERE pg_stats::text ~ 'private.example'")).toEqual([]);
    expect(await contents(source.url)).toEqual(before);
    const events = jsonLines(stdout);
    const added = events.find((event) => event["code"] === "objects-added");
    for (const object of ["table public.done", "schema probe", "table probe.log"]) expect(added?.["message"]).toContain(object);
    expect(
      events.filter((event) => event.type === "task:started" && event["kind"] === "sql").map((event) => [event["object"], event["detail"]]),
    ).toEqual([
      ["before.sql", "before"],
      ["schema/10.sql", "after-schema"],
      ["schema/20.sql", "after-schema"],
      ["data.sql", "after-data"],
      ["after.sql", "after"],
    ]);
    expect(events.find((event) => event.type === "verify:done")).toMatchObject({ checksums: true, differences: [] });
  });

  test("the same with many tables, which are made beside each other", async () => {
    const tables = Array.from({ length: 260 }, (_, i) => `CREATE TABLE t${i} (i int PRIMARY KEY); INSERT INTO t${i} VALUES (${i});`).join(
      "\n",
    );
    await using source = await freshDatabase("source", { sql: tables });
    await using target = reservedDatabase("target");
    await using folder = await folderOf({
      "schema.sql":
        "CREATE TABLE seen AS SELECT count(*)::int AS n, (SELECT count(*) FROM t259)::int AS rows FROM pg_class WHERE relname ~ '^t\\d+$'",
      "data.sql": "DO $$ BEGIN FOR i IN 0..259 LOOP EXECUTE format('UPDATE t%s SET i = i + 1000', i); END LOOP; END $$",
    });
    const { code, stdout } = await runBetween(source, target, [
      "--sql",
      `after-schema=${folder.at("schema.sql")}`,
      "--sql",
      `after-data=${folder.at("data.sql")}`,
    ]);
    expect(code, stdout).toBe(0);
    expect(await target.sql("SELECT * FROM seen")).toEqual([{ n: 260, rows: 0 }]);
    expect(await target.sql("SELECT i FROM t259")).toEqual([{ i: 1259 }]);
  });

  test("what is taken away or altered is a difference, and nothing is swapped", async () => {
    await using source = await freshDatabase("source", { sql: SHOP });
    await using target = await freshDatabase("target", { sql: PRECIOUS });
    await using folder = await folderOf({
      "a.sql": "DROP FUNCTION note; ALTER TABLE secrets SET UNLOGGED; INSERT INTO secrets VALUES (7); CREATE TABLE mine (i int)",
    });
    const { code, stdout } = await runBetween(source, target, ["--yes", "--json", "--sql", `after-schema=${folder.at("a.sql")}`]);
    // the trigger needs the function
    expect(code).toBe(1);
    await using other = await folderOf({
      "a.sql": "ALTER TABLE secrets SET UNLOGGED; INSERT INTO secrets VALUES (7); CREATE TABLE mine (i int)",
    });
    const result = await runBetween(source, target, ["--yes", "--json", "--sql", `after-schema=${other.at("a.sql")}`]);
    expect(result.code, stdout).toBe(3);
    const differences = jsonLines(result.stdout).at(-1)?.["differences"];
    expect(differences).toEqual([
      expect.objectContaining({ kind: "rows", object: "public.secrets", source: "50 rows", target: "51 rows" }),
      expect.objectContaining({ kind: "table", object: "public.secrets", target: "unlogged" }),
    ]);
    expect(await target.sql("SELECT count(*)::int AS n FROM precious")).toEqual([{ n: 7 }]);
  });

  test("--strategy template: after alone, and it runs", async () => {
    const on = { ...server("source") };
    await using source = await freshDatabase("source", { sql: "CREATE SCHEMA nothing" });
    await using target = reservedDatabase("source");
    await using folder = await folderOf({ "a.sql": "CREATE TABLE mine AS SELECT current_user::text AS who" });
    const args = ["--strategy", "template", "--sql"];
    const refused = await runBetween(source, target, [...args, `after-data=${folder.at("a.sql")}`]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--strategy template and --sql after-data contradict each other"),
    });
    const { code, stdout } = await runBetween(source, target, [...args, `after=${folder.at("a.sql")}`]);
    expect(code, stdout).toBe(0);
    expect(await target.sql("SELECT * FROM mine")).toEqual([{ who: on.user }]);
  });
});

describe("a statement that fails", () => {
  test.each([
    ["after-schema", "SELECT 1;\n\nSELECT\n  nope(:'token')", "42883", 3, "function nope(unknown) does not exist"],
    ["after-data", "SELECT 1;\nSELECT 'x' AS \"ä\", :'token'::int;", "22P02", 2, 'invalid input syntax for type integer: ":token"'],
    [
      "after-data",
      "CREATE TABLE a (i int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO a VALUES (1), (1)",
      "23505",
      2,
      "duplicate key",
    ],
    ["after", "\n\nDO $$ BEGIN\n RAISE 'no %', 'more' USING ERRCODE = 'P0042';\nEND $$", "P0042", 3, "no more"],
    ["before", "-- pgditto: no-transaction\nBEGIN; CREATE TABLE lost (i int);", undefined, undefined, "leaves a transaction open"],
  ])("in %s: %j ends the run before the swap and says where", async (stage, text, sqlstate, line, message) => {
    await using source = await freshDatabase("source", { sql: SHOP });
    await using target = await freshDatabase("target", { sql: PRECIOUS });
    await using folder = await folderOf({ "mine.sql": text });
    const args = ["--yes", "--sql", `${stage}=mine.sql`, "--set", "token=hunter2!"];
    const { code, stdout, stderr } = await runBetween(source, target, [...args, "--json"], { cwd: folder.path });
    expect({ code, stderr }, stdout).toEqual({ code: 1, stderr: "" });
    const object = line === undefined ? "mine.sql" : `mine.sql:${line}`;
    const failed = jsonLines(stdout).at(-1);
    expect(failed).toMatchObject({
      type: "run:failed",
      exitCode: 1,
      error: { code: "sql", object, task: "sql", side: "target", message: expect.stringContaining(message) },
    });
    expect(failed?.["error"]).toMatchObject(sqlstate === undefined ? {} : { sqlstate });
    expect(stdout).not.toContain("hunter2");
    if (text.includes("token")) expect(failed).toMatchObject({ error: { detail: expect.stringMatching(/Statement: SELECT[^]*:'token'/) } });
    expect(await databasesOf(target.name)).toEqual([target.name]);
    expect(await target.sql("SELECT count(*)::int AS n FROM precious")).toEqual([{ n: 7 }]);
  });

  test("as a role that is no superuser; rows that row-level security hides are an error, and not left as they are", async () => {
    const role = uniqueName("owner");
    for (const side of ["source", "target"] as const)
      await sql(urlOf(server(side), "postgres"), `CREATE ROLE ${role} LOGIN CREATEDB PASSWORD 'secret'`);
    try {
      await using source = await freshDatabase("source", {
        options: `OWNER ${role}`,
        sql: `GRANT ALL ON SCHEMA public TO ${role}; SET ROLE ${role}; CREATE TABLE people AS SELECT i AS id, 'secret' AS name FROM generate_series(1, 9) i;
          ALTER TABLE people ENABLE ROW LEVEL SECURITY; ALTER TABLE people FORCE ROW LEVEL SECURITY; CREATE POLICY few ON people USING (id < 3)`,
      });
      await using target = reservedDatabase("target");
      const owner = { name: target.name, url: urlOf({ ...server("target"), user: role, password: "secret" }, target.name) };
      await using folder = await folderOf({ "a.sql": "UPDATE people SET name = 'x'" });
      const late = await runBetween(source, owner, ["--json", "--sql", `after=${folder.at("a.sql")}`]);
      expect(late.code, late.stdout).toBe(1);
      expect(jsonLines(late.stdout).at(-1)).toMatchObject({
        error: { code: "sql", sqlstate: "42501", message: expect.stringContaining("row-level security") },
      });
      const { code, stdout } = await runBetween(source, owner, ["--json", "--sql", `after-data=${folder.at("a.sql")}`]);
      expect(code, stdout).toBe(0);
      expect(await target.sql("SELECT DISTINCT name, count(*)::int AS n FROM people GROUP BY 1")).toEqual([{ name: "x", n: 9 }]);
    } finally {
      for (const side of ["source", "target"] as const) await sql(urlOf(server(side), "postgres"), `DROP ROLE ${role}`);
    }
  });

  test("Ctrl+C cancels it on the server", async () => {
    await using source = await freshDatabase("source", { sql: SHOP });
    await using target = await freshDatabase("target", { sql: PRECIOUS });
    await using folder = await folderOf({ "slow.sql": "SELECT pg_sleep(600)" });
    await using cli = await startBetween(source, target, ["--yes", "--sql", `after-data=${folder.at("slow.sql")}`]);
    await until(
      async () =>
        (
          await sql(
            urlOf(server("target"), "postgres"),
            "SELECT FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep.600' AND application_name ~ $1",
            [`${cli.pid}@`],
          )
        ).length === 1,
    );
    cli.kill("SIGINT");
    expect((await cli.result).code).toBe(130);
    await expectNoBackends(cli.pid);
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test("rows that it left, and that an index or key refuses: the hint says whose they may be", async () => {
    await using source = await freshDatabase("source", { sql: SHOP });
    await using target = reservedDatabase("target");
    await using folder = await folderOf({ "same.sql": "UPDATE people SET email = 'x'", "orphans.sql": "DELETE FROM people WHERE id = 7" });
    for (const [file, sqlstate] of [
      ["same.sql", "23505"],
      ["orphans.sql", "23503"],
    ] as const) {
      const { code, stdout } = await runBetween(source, target, ["--json", "--sql", `after-data=${folder.at(file)}`]);
      expect(code).toBe(1);
      expect(jsonLines(stdout).at(-1)).toMatchObject({
        error: { code: "schema", sqlstate, hint: expect.stringContaining("Own SQL of the stage after-data") },
      });
    }
    expect(await databasesOf(target.name)).toEqual([]);
  });

  test("a target that was away behind after-data: its rows cannot be counted again, so the run starts over, and the effect is there once", async () => {
    await using source = await freshDatabase("source", { sql: SHOP });
    await using target = reservedDatabase("target");
    await using folder = await folderOf({
      "a.sql": "CREATE TABLE effect (i serial); INSERT INTO effect DEFAULT VALUES; DELETE FROM secrets; SELECT pg_sleep(1.5)",
    });
    await using cli = await startBetween(source, target, ["--json", "--sql", `after-data=${folder.at("a.sql")}`]);
    await cli.waitFor(/"id":"sql:after-data:1"/);
    await sql(urlOf(server("target"), "postgres"), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ $1", [
      `^pgditto \\w+ control ${cli.pid}@`,
    ]);
    const { code, stdout } = await cli.result;
    expect(code, stdout).toBe(0);
    const told = jsonLines(stdout).find((event) => event["code"] === "starts-over");
    expect(told?.["message"]).toMatch(/cannot be counted again\. The run starts over/);
    expect(await target.sql("SELECT i, (SELECT count(*)::int FROM secrets) AS n FROM effect")).toEqual([{ i: 1, n: 0 }]);
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test("a connection that is lost: a file in one transaction runs again, and only once to its end", async () => {
    await using source = await freshDatabase("source", { sql: SHOP });
    await using target = reservedDatabase("target");
    await using folder = await folderOf({
      "a.sql": `CREATE TABLE effect (i serial); INSERT INTO effect DEFAULT VALUES; SELECT pg_sleep(CASE WHEN :'mark' = '' THEN 0 ELSE 2 END)`,
    });
    await using cli = await startBetween(source, target, [
      "--json",
      "--sql",
      `after-schema=${folder.at("a.sql")}`,
      "--set",
      `mark=${target.name}`,
    ]);
    await until(
      async () =>
        (
          await sql(
            urlOf(server("target"), "postgres"),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ $1 AND query ~ '^SELECT pg_sleep'",
            [`${cli.pid}@`],
          )
        ).length > 0,
    );
    const { code, stdout } = await cli.result;
    expect(code, stdout).toBe(0);
    expect(jsonLines(stdout).find((event) => event.type === "task:retry")).toMatchObject({ kind: "sql", attempt: 1 });
    expect(await target.sql("SELECT i FROM effect")).toEqual([{ i: 1 }]);
  });
});

describe("without a transaction, and beside SQL", () => {
  test("what cannot run in one does, and what is raised is told, without values", async () => {
    await using source = await freshDatabase("source", { sql: SHOP });
    await using target = reservedDatabase("target");
    await using folder = await folderOf({
      // a byte order mark and CRLF
      "a.sql":
        "\uFEFF-- pgditto: no-transaction\r\nCREATE INDEX CONCURRENTLY by_page ON visits (page);\r\nVACUUM (FULL) people;\r\nBEGIN; CREATE TABLE mine (i int); COMMIT;\r\n",
      "b.sql":
        "SELECT set_config('mine.token', :'token', false); DO $$ BEGIN RAISE NOTICE 'token %', current_setting('mine.token'); RAISE WARNING 'careful'; RAISE NOTICE 'careful by its code' USING ERRCODE = '01000'; FOR i IN 1..100 LOOP RAISE INFO 'again'; END LOOP; END $$",
    });
    const flags = ["a.sql", "b.sql"].flatMap((name) => ["--sql", `after=${folder.at(name)}`]);
    const { code, stdout } = await runBetween(source, target, ["--json", ...flags, "--set", "token=hunter2"]);
    expect(code, stdout).toBe(0);
    expect(await target.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_page'::regclass")).toEqual([{ indisvalid: true }]);
    expect(await target.sql("SELECT count(*)::int AS n FROM mine")).toEqual([{ n: 0 }]);
    const told = jsonLines(stdout).filter((event) => event["code"] === "own-sql");
    const file = folder.at("b.sql");
    expect(told[0]).toMatchObject({ level: "info", message: `${file}: token :token` });
    expect(told[1]).toMatchObject({ level: "warning", message: `${file}: careful` });
    // what the server calls a warning is said in its own language
    expect(told[2]).toMatchObject({ level: "warning", message: `${file}: careful by its code` });
    expect(told).toHaveLength(51);
    expect(told.at(-1)).toMatchObject({ message: `${file}: and 53 notices more.` });
    expect(stdout).not.toContain("hunter2");
  });

  test("rows of a SELECT are not kept in memory", async () => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE t (i int)" });
    await using target = reservedDatabase("target");
    await using folder = await folderOf({ "a.sql": "SELECT repeat('x', 1000) FROM generate_series(1, 400000)" });
    // 400 MB as text
    const { code, stderr } = await runBetween(source, target, ["--sql", `after=${folder.at("a.sql")}`], {
      env: { NODE_OPTIONS: "--max-old-space-size=120" },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test.skipIf(!hasPsql)("variables are what psql makes of them", async () => {
    await using database = await freshDatabase("target");
    await using source = await freshDatabase("source");
    await using target = reservedDatabase("target");
    const values = {
      plain: "abc",
      quote: "it's",
      back: "a\\b'",
      name: 'Odd "Name"',
      empty: "",
      number: "1 + 1",
      uni: "grüße 😀",
      colon: ":plain",
    };
    const lines = Object.keys(values).map(
      (key) => `INSERT INTO r VALUES ('${key}', :'${key}', ':${key}', $$:${key}$$, E'\\':${key}' /* :'${key}' */); -- :${key}`,
    );
    const text = [
      "CREATE TABLE r (k text, literal text, quoted text, dollar text, escaped text);",
      ...lines,
      'CREATE TABLE :"name" (a int);',
      "INSERT INTO r VALUES ('bare', :number, (ARRAY[1,2,3])[1:2], '1'::text, 'x'::text);",
      "INSERT INTO r VALUES ('test', :{?plain}, :{?nope}, NULL, NULL);",
      "CREATE RULE ru AS ON UPDATE TO r DO ALSO (SELECT 1; SELECT 2);",
      "INSERT INTO r VALUES ('last', 'a;b', 'c''d', $x$ ; $$ $x$, E'\\\\')",
    ].join("\n");
    await using folder = await folderOf({ "a.sql": text });
    const set = Object.entries(values).map(([key, value]) => `${key}=${value}`);
    await promisify(execFile)(PSQL, [
      "-X",
      "-q",
      "-v",
      "ON_ERROR_STOP=1",
      ...set.flatMap((one) => ["-v", one]),
      "-f",
      folder.at("a.sql"),
      database.url,
    ]);
    const { code, stderr } = await runBetween(source, target, [
      "--sql",
      `after=${folder.at("a.sql")}`,
      ...set.flatMap((one) => ["--set", one]),
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const look = "SELECT * FROM r ORDER BY k";
    expect(await target.sql(look)).toEqual(await database.sql(look));
    expect(await target.sql("SELECT relname FROM pg_class WHERE relname ~ 'Odd'")).toEqual([{ relname: 'Odd "Name"' }]);
  });
});

describe("hooks of pgditto.config.mjs", () => {
  test("run behind the files of their stage, with a session; what is not awaited is waited for", async () => {
    await using source = await freshDatabase("source", { sql: SHOP });
    await using target = reservedDatabase("target");
    await using folder = await folderOf({
      "a.sql": "CREATE TABLE seen (stage text, what text)",
      "pgditto.config.mjs": `const note = ({ query, database, stage }) => query("INSERT INTO seen VALUES ($1, $2)", [stage, database]);
        export default { sql: ["before=a.sql"], hooks: {
          before: note,
          "after-data": async (session) => {
            const rows = await session.query("SELECT id FROM people WHERE id <= $1 ORDER BY id", [2]);
            for (const { id } of rows) await session.query("UPDATE people SET email = $2 WHERE id = $1", [id, "hook" + id]);
            await session.run("DELETE FROM secrets; DELETE FROM visits WHERE id > 10");
            void note(session);
          },
          after: async ({ query, run, stage }) => { await run("BEGIN"); await query("INSERT INTO seen VALUES ($1, current_setting('search_path'))", [stage]); await run("COMMIT"); },
        } };`,
    });
    const { code, stderr, stdout } = await runBetween(source, target, [], { cwd: folder.path });
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: "" });
    const staging = expect.stringContaining(`${target.name}__pgditto_`) as string;
    expect(await target.sql("SELECT * FROM seen")).toEqual([
      { stage: "before", what: staging },
      { stage: "after-data", what: staging },
      { stage: "after", what: '"$user", public' },
    ]);
    expect(await target.sql("SELECT email FROM people WHERE id <= 3 ORDER BY id")).toEqual([
      { email: "hook1" },
      { email: "hook2" },
      { email: "person3@private.example" },
    ]);
    expect(await target.sql("SELECT count(*)::int AS n FROM visits")).toEqual([{ n: 10 }]);
    const plan = await runBetween(source, target, ["plan"], { cwd: folder.path });
    expect(plan.stdout).toMatch(
      /Own SQL:\n +before +a\.sql +1 statement\n +before +hook before\n +after-data +hook after-data\n +after +hook after\n/,
    );
  });

  test.each([
    ["throws", `throw new Error("not today")`, "hook after-data: not today"],
    ["throws no Error", "throw 'words'", "hook after-data: words"],
    [
      "fails in SQL that it does not await",
      `query("SELECT nope()"); await query("SELECT pg_sleep(0.2)")`,
      "function nope() does not exist",
    ],
    ["leaves a transaction open", `await run("BEGIN")`, "leaves a transaction open"],
  ])("one that %s ends the run before the swap", async (_what, body, message) => {
    await using source = await freshDatabase("source", { sql: SHOP });
    await using target = await freshDatabase("target", { sql: PRECIOUS });
    await using folder = await folderOf({
      "pgditto.config.mjs": `export default { hooks: { "after-data": async ({ query, run }) => { ${body} } } };`,
    });
    const { code, stdout } = await runBetween(source, target, ["--yes", "--json"], { cwd: folder.path });
    expect(code).toBe(1);
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      error: { code: "sql", object: "hook after-data", message: expect.stringContaining(message) },
    });
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test("one that never ends does not keep Ctrl+C waiting", async () => {
    await using source = await freshDatabase("source", { sql: SHOP });
    await using target = reservedDatabase("target");
    await using folder = await folderOf({
      "pgditto.config.mjs": `export default { hooks: { after: ({ run }) => { run("SELECT pg_sleep(600)").catch(() => undefined); return new Promise((resolve) => setTimeout(resolve, 600_000).unref()); } } };`,
    });
    await using cli = await startBetween(source, target, [], { cwd: folder.path });
    await cli.waitFor(/hook after/);
    cli.kill("SIGTERM");
    expect((await cli.result).code).toBe(143);
    await expectNoBackends(cli.pid);
    expect(await databasesOf(target.name)).toEqual([]);
  });
});

describe("mistakes are found before anything is connected", () => {
  const nowhere = { url: "postgresql://nobody@127.0.0.1:1/nothing" };
  test.each<[string, string[], RegExp]>([
    ["no file", ["--sql", "after=none.sql"], /--sql: none\.sql does not exist\./],
    ["a folder without SQL", ["--sql", "after=empty"], /--sql: empty is a folder without any file \*\.sql\./],
    ["a device", ["--sql", "after=/dev/null"], /\/dev\/null is neither a file nor a folder/],
    ["no UTF-8", ["--sql", "after=latin1.sql"], /--sql: latin1\.sql:2 is not UTF-8\..*[^]*iconv/],
    ["UTF-16", ["--sql", "after=utf16.sql"], /utf16\.sql:1 is not UTF-8/],
    ["a NUL", ["--sql", "after=nul.sql"], /nul\.sql:3 holds a NUL/],
    [
      "an open quote, in the second file of a folder",
      ["--sql", "before=good.sql", "--sql", "after=folder"],
      /folder\/2\.sql:3: the file ends inside a string/,
    ],
    ["psql's commands", ["--sql", "after=psql.sql"], /psql\.sql:2: \\copy is a command of psql/],
    [
      "a variable",
      ["--sql", "after=variable.sql", "--set", "nam=x"],
      /variable\.sql:1: the variable :'name' has no value\.[^]*--set name=VALUE/,
    ],
    ["no stage", ["--sql", "good.sql"], /--sql: there is no = in it\.[^]*STAGE=FILE/],
    ["another stage", ["--sql", "afterdata=good.sql"], /"afterdata" is not one of before, after-schema, after-data, after\.[^]*STAGE=FILE/],
    ["nothing behind it", ["--sql", "after="], /nothing stands behind the =/],
    ["--set without =", ["--sql", "after=good.sql", "--set", "hunter2"], /--set: there is no = in it\.[^]*NAME=VALUE/],
    ["--set without a name", ["--set", "=hunter2"], /--set: what stands before the = is no name/],
    ["--set with a strange name", ["--set", "a b=hunter2"], /--set: what stands before the = is no name/],
  ])("%s", async (_what, args, message) => {
    await using folder = await folderOf({
      "good.sql": "SELECT 1",
      "latin1.sql": Buffer.from("SELECT 1;\n-- gr\xfc\xdfe", "latin1"),
      "utf16.sql": Buffer.from("\ufeffSELECT 1", "utf16le"),
      "nul.sql": "SELECT 1;\n\n\0",
      "folder/1.sql": "SELECT 1",
      "folder/2.sql": "SELECT 1;\n\nSELECT 'it",
      "psql.sql": "SELECT 1;\n\\copy t from x",
      "variable.sql": "SELECT :'name'",
    });
    await mkdir(folder.at("empty"));
    for (const command of ["sync", "plan", "doctor"]) {
      const { code, stderr, stdout } = await runBetween(nowhere, nowhere, [command, ...args], { cwd: folder.path });
      expect(code, stdout + stderr).toBe(2);
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain("hunter2");
    }
  });

  test.each<[string, Record<string, string>, RegExp]>([
    [
      "hooks in JSON",
      { "pgditto.config.json": '{ "hooks": {} }' },
      /pgditto\.config\.json:1:3: hooks: hooks are functions, and JSON has none/,
    ],
    [
      "a stage of hooks",
      { "pgditto.config.mjs": "export default { hooks: { afterdata: () => {} } }" },
      /hooks\.afterdata: there is no such stage\.[^]*before, after-schema, after-data, after/,
    ],
    [
      "no function",
      { "pgditto.config.mjs": 'export default { hooks: { after: "a.sql" } }' },
      /hooks\.after: the value is a string, not a function/,
    ],
    [
      "no object",
      { "pgditto.config.mjs": "export default { hooks: () => {} }" },
      /hooks: the value is a function, not an object of functions/,
    ],
    [
      "a list with a mistake",
      { "pgditto.config.json": '{ "set": ["a=1", "hunter2"] }' },
      /pgditto\.config\.json:1:3: set, entry 2: there is no = in it/,
    ],
    ["no list", { "pgditto.config.json": '{ "sql": "after=a.sql" }' }, /sql: the value is a string, not a list/],
    ["no string", { "pgditto.config.json": '{ "sql": [7] }' }, /sql: the value is a number, not a string/],
  ])("in a config file: %s", async (_what, files, message) => {
    await using folder = await folderOf(files);
    const { code, stderr } = await runBetween(nowhere, nowhere, [], { cwd: folder.path });
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("hunter2");
  });

  test("other commands do not look at the files", async () => {
    await using database = await freshShop("target");
    await using folder = await folderOf({ "pgditto.config.json": '{ "sql": ["after=none.sql"] }' });
    const { code, stderr } = await runBetween(database, database, ["cleanup"], { cwd: folder.path });
    expect(stderr).not.toContain("none.sql");
    expect(code).not.toBe(2);
  });
});
