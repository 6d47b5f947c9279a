import { describe, expect, test } from "vitest";

import { turn } from "../../tests/house/deferred.ts";
import { seededRandom } from "../../tests/house/random.ts";
import { fakeEnds } from "../../tests/house/relay-ends.ts";
import { PgdittoError } from "../errors.ts";
import { relay } from "./relay.ts";

const SQL = { copyOut: "COPY a TO STDOUT", copyIn: "COPY a FROM STDIN" };

describe("relay", () => {
  test("forwards the frames as they are, in order, and counts them", async () => {
    const { fake, ends, text } = fakeEnds();
    const seen: number[] = [];
    fake.targetReady();
    const done = relay(ends, { ...SQL, onBytes: (bytes) => seen.push(bytes) });
    await turn();
    expect([fake.send("one"), fake.send("three")]).toEqual([true, true]);
    fake.finishTag = "COPY 2";
    fake.sourceDone("COPY 2");
    expect(await done).toEqual({ rows: 2, bytes: 8 });
    expect(text()).toBe("onethree");
    expect(seen).toEqual([3, 5]);
    expect(fake.log).toEqual(["target: COPY a FROM STDIN", "source: COPY a TO STDOUT", "finish"]);
  });

  test("an empty table", async () => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    fake.sourceDone("COPY 0");
    expect(await relay(ends, SQL)).toEqual({ rows: 0, bytes: 0 });
  });

  test("CopyDone waits for the source's word", async () => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    const done = relay(ends, SQL);
    await turn();
    fake.send("all of it");
    await turn();
    expect(fake.log).not.toContain("finish");
    fake.sourceDone("COPY 0");
    await done;
    expect(fake.log).toContain("finish");
  });

  test("a full target pauses the source until it drains", async () => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    const done = relay(ends, SQL);
    await turn();
    fake.room = false;
    expect(fake.send("x")).toBe(false);
    expect(fake.resumed).toBe(0);
    fake.drain?.();
    expect(fake.resumed).toBe(1);
    fake.sourceDone("COPY 0");
    await done;
  });

  test.each([
    { room: true, resumedAtOnce: 1 },
    { room: false, resumedAtOnce: 0 },
  ])("frames that come before the target is ready wait, and so does the source (room: $room)", async ({ room, resumedAtOnce }) => {
    const { fake, ends, text } = fakeEnds();
    const done = relay(ends, SQL);
    await turn();
    expect([fake.send("a"), fake.send("b")]).toEqual([false, false]);
    expect(fake.received).toEqual([]);
    fake.room = room;
    fake.targetReady();
    await turn();
    expect(text()).toBe("ab");
    expect(fake.resumed).toBe(resumedAtOnce);
    fake.drain?.();
    expect(fake.resumed).toBe(1);
    fake.room = true;
    expect(fake.send("c")).toBe(true);
    fake.sourceDone("COPY 0");
    expect(await done).toEqual({ rows: 0, bytes: 3 });
    expect(text()).toBe("abc");
  });

  test("a source that is done before the target is ready loses nothing", async () => {
    const { fake, ends, text } = fakeEnds();
    fake.finishTag = "COPY 1";
    const done = relay(ends, SQL);
    await turn();
    fake.send("row");
    fake.sourceDone("COPY 1");
    await turn();
    fake.targetReady();
    expect(await done).toEqual({ rows: 1, bytes: 3 });
    expect(text()).toBe("row");
  });
});

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

  test("the target, after CopyDone", async () => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    fake.finishTag = new Error("duplicate key");
    fake.sourceDone("COPY 5");
    await expect(relay(ends, SQL)).rejects.toThrow("duplicate key");
    expect(fake.log.slice(2)).toEqual(["finish", "source aborted", "target aborted"]);
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
    ["COPY 3", "COPY 2"],
    ["COPY 3", ""],
    ["", ""],
    ["INSERT 0 3", "INSERT 0 3"],
    ["COPY 3 4", "COPY 3 4"],
  ])("the tags %j and %j are not the same rows", async (sent, taken) => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    fake.finishTag = taken;
    fake.sourceDone(sent);
    const error = await relay(ends, SQL).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(PgdittoError);
    expect(error).toMatchObject({ code: "copy" });
    expect(fake.log.slice(-2)).toEqual(["source aborted", "target aborted"]);
  });
});

test("whatever the pace of either end, every byte arrives once and in order", async () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seededRandom(seed);
    const { fake, ends, text } = fakeEnds();
    const readyAfter = random.int(6);
    const done = relay(ends, SQL);
    let sent = "";
    await turn();
    for (let i = 0; i < 12; i += 1) {
      if (i === readyAfter) {
        fake.room = random.chance(0.5);
        fake.targetReady();
        await turn();
      }
      fake.room = random.chance(0.6);
      const piece = `${seed}.${i};`;
      sent += piece;
      const before = fake.resumed;
      if (!fake.send(piece) && i >= readyAfter) {
        fake.drain?.();
        expect(fake.resumed).toBeGreaterThan(before);
      }
      if (random.chance(0.5)) await turn();
    }
    fake.targetReady();
    fake.finishTag = "COPY 12";
    fake.sourceDone("COPY 12");
    expect(await done).toEqual({ rows: 12, bytes: sent.length });
    expect(text()).toBe(sent);
  }
});
