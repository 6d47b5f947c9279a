import { describe, expect, test } from "vitest";

import { turn } from "../../tests/house/deferred.ts";
import { fakeEnds } from "../../tests/house/relay-ends.ts";
import { PgdittoError } from "../errors.ts";
import { relay } from "./relay.ts";

const SQL = { copyOut: "COPY a TO STDOUT", copyIn: "COPY a FROM STDIN" };

describe("relay, when something breaks", () => {
  test("the source: the target is never told that the rows are complete", async () => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    const done = relay(ends, SQL);
    await turn();
    fake.send("half a ro");
    fake.sourceFails(new Error("source is gone"));
    await expect(done).rejects.toThrow("source is gone");
    expect(fake.log.slice(2)).toEqual(["source aborted", "target aborted"]);
  });

  test("the target, in the middle", async () => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    const done = relay(ends, SQL);
    await turn();
    fake.send("row");
    fake.targetFails(new Error("disk full"));
    await expect(done).rejects.toThrow("disk full");
    expect(fake.log.slice(2)).toEqual(["source aborted", "target aborted"]);
  });

  test("the target, before it was ready", async () => {
    const { fake, ends } = fakeEnds();
    const done = relay(ends, SQL);
    await turn();
    fake.send("row");
    fake.targetRefuses(new Error("permission denied"));
    await expect(done).rejects.toThrow("permission denied");
    expect(fake.log.slice(2)).toEqual(["source aborted", "target aborted"]);
  });

  test("the source, before the target was ready", async () => {
    const { fake, ends } = fakeEnds();
    const done = relay(ends, SQL);
    await turn();
    fake.sourceFails(new Error("no such table"));
    await expect(done).rejects.toThrow("no such table");
  });

  test("the target, after the last frame", async () => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    const done = relay(ends, SQL);
    await turn();
    fake.sourceDone("COPY 5");
    await turn();
    fake.targetFails(new Error("duplicate key"));
    await expect(done).rejects.toThrow("duplicate key");
    expect(fake.log.slice(2)).toEqual(["source aborted", "target aborted"]);
  });

  test("the listener of progress: its error ends the copy, not the process", async () => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    const done = relay(ends, {
      ...SQL,
      onBytes: () => {
        throw new Error("listener");
      },
    });
    await turn();
    expect(() => fake.send("row")).not.toThrow();
    await expect(done).rejects.toThrow("listener");
    expect(fake.log.slice(2)).toEqual(["source aborted", "target aborted"]);
  });

  test.each([
    { side: "source" as const, sent: 2, taken: 1, at: 2 },
    { side: "target" as const, sent: 2, taken: 1, at: 1 },
  ])("the failure is that of the COPY which the $side was at", async ({ side, sent, taken, at }) => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    const done = relay(ends, { ...SQL, describeFailure: (error, index) => new Error(`${index}: ${String(error)}`) });
    await turn();
    for (let i = 0; i < sent; i += 1) fake.sink?.sent();
    for (let i = 0; i < taken; i += 1) fake.taken?.();
    const error = new PgdittoError("server", "broke", { side });
    if (side === "source") fake.sourceFails(error);
    else fake.targetFails(error);
    await expect(done).rejects.toThrow(new RegExp(`^${at}: .*broke`));
  });

  test.each([
    ["COPY 3", "COPY 2"],
    ["COPY 3", ""],
    ["", ""],
    ["INSERT 0 3", "INSERT 0 3"],
    ["COPY 3 4", "COPY 3 4"],
  ])("the tags %j and %j are not the same rows", async (sent, taken) => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    const done = relay(ends, SQL).catch((failure: unknown) => failure);
    await turn();
    fake.sourceDone("COPY 7", sent);
    fake.targetDone("COPY 7", taken);
    const error = await done;
    expect(error).toBeInstanceOf(PgdittoError);
    expect(error).toMatchObject({ code: "copy" });
    expect(fake.log.slice(-2)).toEqual(["source aborted", "target aborted"]);
  });
});
