import { describe, expect, it } from "vitest";

import { createMessageWalker } from "./message-walker.ts";
import { answerStartUp } from "./start-up.ts";

const facts = {
  pid: 4711,
  parameters: new Map([
    ["server_version", "15.18"],
    ["client_encoding", "UTF8"],
  ]),
};

function packet(code: number, body = ""): Buffer {
  const bytes = Buffer.alloc(8 + Buffer.byteLength(body));
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(code, 4);
  bytes.write(body, 8);
  return bytes;
}

function messages(bytes: Buffer): Array<[string, string]> {
  const seen: Array<[string, string]> = [];
  const walk = createMessageWalker({
    wanted: new Set(["R", "S", "K", "Z", "v"]),
    message: (type, body) => seen.push([type, body.toString("latin1")]),
  });
  for (const byte of bytes) walk(Buffer.of(byte)); // split everywhere
  return seen;
}

describe("answerStartUp", () => {
  it.each([80_877_103, 80_877_104])("refuses encryption (%i)", (code) => {
    expect(answerStartUp(packet(code), facts)).toMatchObject({ kind: "refused-encryption", reply: Buffer.from("N") });
  });

  it("lets the client in with the parameters of the session", () => {
    const step = answerStartUp(Buffer.concat([packet(196_608, "user\0me\0database\0_pq_.no\0\0"), Buffer.from("Q")]), facts);
    if (step.kind !== "started") throw new Error(step.kind);
    expect(step.rest.toString()).toBe("Q");
    expect(messages(step.reply)).toEqual([
      ["R", "\0\0\0\0"],
      ["S", "server_version\u000015.18\0"],
      ["S", "client_encoding\0UTF8\0"],
      ["K", "\0\0\u0012\u0067\0\0\0\0"],
      ["Z", "I"],
    ]);
  });

  it("brings a client that asks for protocol 3.2 down to 3.0", () => {
    const step = answerStartUp(packet(196_610, "user\0me\0_pq_.x\0on\0\0"), facts);
    if (step.kind !== "started") throw new Error(step.kind);
    expect(messages(step.reply)[1]).toEqual(["v", "\0\u0003\0\0\0\0\0\u0001_pq_.x\0"]);
  });

  it("waits for the whole packet, and refuses what is none", () => {
    const whole = packet(196_608, "user\0me\0\0");
    for (let length = 0; length < whole.length; length += 1)
      expect(answerStartUp(whole.subarray(0, length), facts)).toEqual({ kind: "more" });
    expect(answerStartUp(Buffer.from("GET / HTTP/1.1\r\n"), facts)).toEqual({ kind: "stranger" });
    expect(answerStartUp(packet(80_877_102, "12345678"), facts)).toEqual({ kind: "stranger" });
    expect(answerStartUp(packet(131_072), facts)).toEqual({ kind: "stranger" });
  });
});
