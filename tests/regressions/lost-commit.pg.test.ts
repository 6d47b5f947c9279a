import { expect, test } from "vitest";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { copy, expectSame } from "../support/fidelity.ts";
import { type Connection, proxyTo } from "../support/proxy.ts";

// A range of a table cannot be emptied before another attempt, so "committed or not?" must have an answer: the journal has it.

test.each(["before", "after"] as const)(
  "the connection is lost %s the target has committed a copy: no row twice, none missing",
  async (when) => {
    await using source = await freshDatabase("source", {
      // forty tables: some share a transaction
      sql: "DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE format('CREATE TABLE t%s AS SELECT n FROM generate_series(1, %s) n', i, i); END LOOP; END $$",
    });
    await using target = reservedDatabase("target");
    const committing = new Set<Connection>();
    let cuts = 0;
    await using network = await proxyTo(
      target.url,
      (bytes, connection) => {
        // the server has answered COMMIT, and nobody hears it
        if (committing.has(connection)) connection.cut();
        return bytes;
      },
      (bytes, connection) => {
        if (cuts > 0 || !/INSERT INTO [^ ]*copies/.test(bytes.toString("latin1"))) return;
        cuts += 1;
        if (when === "before") connection.cut();
        else committing.add(connection);
      },
    );
    const { events, result } = await copy(source, network);
    expect(cuts).toBe(1);
    expect(events.filter((event) => event.type === "task:retry")).toMatchObject([{ object: expect.stringMatching(/^\d small tables$/) }]);
    await expectSame(source, target);
    expect(result.rows).toBe((40 * 41) / 2);
  },
);
