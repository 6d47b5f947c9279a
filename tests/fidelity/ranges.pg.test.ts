import { describe, expect, test } from "vitest";
import { type SyncEvent, verify } from "../../src/index.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { copy, expectSame } from "../support/fidelity.ts";
import { server } from "../support/servers.ts";

/** A name of this machine that pgditto does not take for it, as if the servers had cores of their own. */
const elsewhere = (url: string): string => url.replace("127.0.0.1", "0177.0.0.1");

/** Some 280 MB, most of it TOAST; rows of every block deleted, updated and moved. */
const LARGE = `
  CREATE TABLE large (id int PRIMARY KEY, n int, body text); ALTER TABLE large ALTER body SET STORAGE EXTERNAL;
  INSERT INTO large SELECT i, i % 7, repeat(md5(i::text), 700) FROM generate_series(1, 12500) i;
  UPDATE large SET n = n + 1 WHERE id % 5 = 0; DELETE FROM large WHERE id % 11 = 0;
  CREATE INDEX ON large (n); CREATE TABLE refers (id int REFERENCES large); INSERT INTO refers VALUES (1), (2);
  CREATE TABLE also (id int REFERENCES large);`;

describe("a table in ranges", () => {
  test.runIf(server("source").major >= 14)("every row arrives once, over several connections, and is told of as one table", async () => {
    await using source = await freshDatabase("source", { sql: LARGE });
    await using target = reservedDatabase("target");
    const { result, events } = await copy({ url: elsewhere(source.url) }, { url: elsewhere(target.url) }, { jobs: 3 });
    const ranges = events.flatMap((event) => (event.type === "task:done" && event.id.includes("/") ? [event] : []));
    expect(ranges.length).toBeGreaterThan(1);
    expect(ranges.every(({ group, parts }) => group === "public.large" && parts === ranges.length)).toBe(true);
    await expectSame(source, target);
    const [there] = await source.sql("SELECT count(*)::int AS n FROM large");
    expect(result.tables.find(({ name }) => name === "large")?.rows).toBe(there?.["n"]);
    expect(ranges.reduce((sum, { rows }) => sum + rows, 0)).toBe(there?.["n"]);

    // checksums in ranges of blocks, too, although the rows of the target lie in other blocks
    const ends = { source: elsewhere(source.url), target: elsewhere(target.url) };
    const looks = new Set<string>();
    const onEvent = (event: SyncEvent): void => void (event.type === "task:done" && event.kind === "count" && looks.add(event.id));
    expect(await verify({ ...ends, onEvent })).toMatchObject({ differences: [], rows: Number(there?.["n"]) + 2 });
    expect([...looks].filter((id) => id.includes("/")).length).toBeGreaterThan(1);
    await target.sql("UPDATE large SET n = -1 WHERE id = 12499");
    expect((await verify(ends)).differences).toMatchObject([
      { kind: "checksum", object: "public.large" },
      { kind: "row", object: "public.large id=12499", target: "other n" },
    ]);
  });
});
