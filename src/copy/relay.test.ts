import { describe, expect, test } from "vitest";

import { deferred, turn } from "../../tests/house/deferred.ts";
import { seededRandom } from "../../tests/house/random.ts";
import { fakeEnds } from "../../tests/house/relay-ends.ts";
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
    fake.sourceDone("COPY 2");
    fake.targetDone("COPY 2");
    expect(await done).toEqual([{ rows: 2, bytes: 8 }]);
    expect(text()).toBe("onethree");
    expect(seen).toEqual([3, 5]);
    expect(fake.log).toEqual(["target: COPY a FROM STDIN", "source: COPY a TO STDOUT"]);
  });

  test("an empty table", async () => {
    const { fake, ends } = fakeEnds();
    fake.targetReady();
    const done = relay(ends, SQL);
    await turn();
    fake.sourceDone("COPY 0");
    fake.targetDone("COPY 0");
    expect(await done).toEqual([{ rows: 0, bytes: 0 }]);
  });

  test("many tables in one round trip: each has its own rows and bytes", async () => {
    const { fake, ends, text } = fakeEnds();
    fake.targetReady();
    const done = relay(ends, SQL);
    await turn();
    fake.send("first");
    fake.sink?.copied(5);
    fake.send("second");
    fake.sink?.copied(6);
    fake.bytes = 0;
    fake.sourceDone("COPY 0");
    fake.targetDone("COPY 0");
    expect(await done).toEqual([{ rows: 0, bytes: 5 }]);
    expect(text()).toBe("firstsecond");
  });

  test("one end alone is not the end: neither the source's word nor the target's", async () => {
    for (const [first, second] of [
      ["sourceDone", "targetDone"],
      ["targetDone", "sourceDone"],
    ] as const) {
      const { fake, ends } = fakeEnds();
      fake.targetReady();
      let settled = false;
      const done = relay(ends, SQL).finally(() => (settled = true));
      await turn();
      fake[first]("COPY 0");
      await turn();
      expect(settled, first).toBe(false);
      fake[second]("COPY 0");
      await done;
    }
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
    fake.targetDone("COPY 0");
    await done;
  });

  test("a pace holds the source, and not what has come already; with a full target both have to let go", async () => {
    const { fake, ends, text } = fakeEnds();
    fake.targetReady();
    const paid = [deferred<void>(), deferred<void>()];
    const waits = paid.map(({ promise }) => promise);
    const done = relay(ends, { ...SQL, pace: () => waits.shift() });
    await turn();
    expect(fake.send("a")).toBe(false);
    expect(text()).toBe("a");
    expect(fake.resumed).toBe(0);
    paid[0]?.resolve();
    await turn();
    expect(fake.resumed).toBe(1);
    fake.room = false;
    expect(fake.send("b")).toBe(false);
    paid[1]?.resolve();
    await turn();
    expect(fake.resumed).toBe(1);
    fake.drain?.();
    await turn();
    expect(fake.resumed).toBe(2);
    fake.room = true;
    expect(fake.send("c")).toBe(true);
    fake.sourceDone("COPY 0");
    fake.targetDone("COPY 0");
    await done;
  });

  test.each([
    { room: true, resumedAtOnce: 2 },
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
    expect(fake.resumed, "each of them is let go, once").toBe(2);
    fake.room = true;
    expect(fake.send("c")).toBe(true);
    fake.sourceDone("COPY 0");
    fake.targetDone("COPY 0");
    expect(await done).toEqual([{ rows: 0, bytes: 3 }]);
    expect(text()).toBe("abc");
  });

  test("a source that is done before the target is ready loses nothing", async () => {
    const { fake, ends, text } = fakeEnds();
    const done = relay(ends, SQL);
    await turn();
    fake.send("row");
    fake.sourceDone("COPY 1");
    await turn();
    fake.targetReady();
    fake.targetDone("COPY 1");
    expect(await done).toEqual([{ rows: 1, bytes: 3 }]);
    expect(text()).toBe("row");
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
    fake.sourceDone("COPY 12");
    fake.targetDone("COPY 12");
    expect(await done).toEqual([{ rows: 12, bytes: sent.length }]);
    expect(text()).toBe(sent);
  }
});
