import { describe, expect, test } from "vitest";

import { seededRandom } from "../../tests/house/random.ts";
import { createFrameWalker } from "./frames.ts";

type Message = readonly [type: string, body: Buffer];
type Run = readonly [route: "data" | "other", hex: string];

function encode([type, body]: Message): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 0, "latin1");
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

/** The obvious way: one message after another; neighbours on the same route belong together. */
function reference(messages: readonly Message[]): Run[] {
  const runs: Array<[Run[0], string]> = [];
  for (const message of messages) {
    const route = message[0] === "d" || message[0] === "c" ? "data" : "other";
    const last = runs.at(-1);
    if (last?.[0] === route) last[1] += encode(message).toString("hex");
    else runs.push([route, encode(message).toString("hex")]);
  }
  return runs;
}

/** Bytes of the CopyData messages before each CopyDone. */
function referenceSizes(messages: readonly Message[]): number[] {
  const sizes: number[] = [];
  let size = 0;
  for (const message of messages) {
    if (message[0] === "d") size += encode(message).length;
    if (message[0] !== "c") continue;
    sizes.push(size);
    size = 0;
  }
  return sizes;
}

/** What the walker has to say of these messages. */
function expected(messages: readonly Message[]): ReturnType<typeof walkAll> {
  return { runs: reference(messages), copied: referenceSizes(messages), begun: messages.filter(([type]) => type === "d").length };
}

/** What the walker says to these chunks, neighbours on the same route joined, and how many rows began in them. */
function walkAll(chunks: readonly Buffer[]): { runs: Run[]; copied: number[]; begun: number } {
  let sum = 0;
  const copied: number[] = [];
  const runs: Array<[Run[0], string]> = [];
  const take =
    (route: Run[0]) =>
    (bytes: Buffer, begun = 0) => {
      sum += begun;
      expect(bytes.length).toBeGreaterThan(0);
      const last = runs.at(-1);
      if (last?.[0] === route) last[1] += bytes.toString("hex");
      else runs.push([route, bytes.toString("hex")]);
    };
  const walker = createFrameWalker({ data: take("data"), other: take("other"), copied: (bytes) => copied.push(bytes) });
  for (const chunk of chunks) walker.walk(chunk);
  return { runs, copied, begun: sum };
}

/** A COPY as a server answers it: CopyOutResponse, rows (an empty one and a notice among them), CopyDone, tag, ready. */
const COPY: readonly Message[] = [
  ["H", Buffer.from([1, 0, 2, 0, 1, 0, 1])],
  ["d", Buffer.from("first row")],
  ["d", Buffer.alloc(0)],
  ["N", Buffer.from("SNOTICE\0\0")],
  ["d", Buffer.from("dddd\0\0\0\x05d")],
  ["c", Buffer.alloc(0)],
  ["C", Buffer.from("COPY 3\0")],
  ["Z", Buffer.from("T")],
];
const BYTES = Buffer.concat(COPY.map(encode));

describe("createFrameWalker", () => {
  test("in one chunk", () => {
    expect(walkAll([BYTES])).toEqual(expected(COPY));
  });

  test.each(Array.from({ length: BYTES.length - 1 }, (_, i) => i + 1))("split at byte %i", (at) => {
    expect(walkAll([BYTES.subarray(0, at), BYTES.subarray(at)])).toEqual(expected(COPY));
  });

  test("byte by byte", () => {
    expect(walkAll([...BYTES].map((byte) => Buffer.from([byte])))).toEqual(expected(COPY));
  });

  test("an empty chunk says nothing", () => {
    expect(walkAll([Buffer.alloc(0), BYTES, Buffer.alloc(0)])).toEqual(expected(COPY));
  });

  test("rows that follow each other go on as one run, without a copy", () => {
    const chunk = Buffer.concat([encode(["d", Buffer.from("a")]), encode(["d", Buffer.from("b")])]);
    const runs: Buffer[] = [];
    createFrameWalker({ data: (bytes) => runs.push(bytes), other: () => undefined }).walk(chunk);
    expect(runs).toHaveLength(1);
    expect(runs[0]?.buffer).toBe(chunk.buffer);
  });

  test("a row of more than 16 MB, which needs all four bytes of its length", () => {
    const big: Message = ["d", Buffer.alloc(0x01_02_03_04, 0x64)];
    const bytes = encode(big);
    const sizes = { data: 0, other: 0 };
    let copied = 0;
    const walker = createFrameWalker({
      data: (run) => (sizes.data += run.length),
      other: (run) => (sizes.other += run.length),
      copied: (size) => (copied = size),
    });
    for (const chunk of [bytes.subarray(0, 3), bytes.subarray(3, 70_000), bytes.subarray(70_000), encode(["c", Buffer.alloc(0)])]) {
      walker.walk(chunk);
    }
    expect(sizes).toEqual({ data: bytes.length + 5, other: 0 });
    expect(copied).toBe(bytes.length);
  });

  test("agrees with the reference on random streams in random chunks", () => {
    for (let seed = 1; seed <= 400; seed += 1) {
      const random = seededRandom(seed);
      const messages = Array.from({ length: 1 + random.int(30) }, (): Message => {
        const type = random.chance(0.7) ? "d" : random.pick(["H", "N", "S", "c", "C", "Z", "E"]);
        // bodies full of what looks like headers
        return [type, Buffer.from(Array.from({ length: random.int(12) }, () => random.pick([0x64, 0, 4, 5, 0xff])))];
      });
      const bytes = Buffer.concat(messages.map(encode));
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length;) {
        const size = 1 + random.int(random.pick([1, 3, 8, 40]));
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(walkAll(chunks), `seed ${seed}`).toEqual(expected(messages));
    }
  });
});
