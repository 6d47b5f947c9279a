/** Request codes of the start-up phase (manual 55.7 "Message Formats"). */
const SSL_REQUEST = 80_877_103;
const GSSENC_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;
const PROTOCOL_3_0 = 196_608;

/** As the server's own limit: whatever is longer is no start-up packet. */
const MAX_PACKET_BYTES = 10_000;

export interface StartUpFacts {
  pid: number;
  /** What the server reported when our own session began. */
  parameters: ReadonlyMap<string, string>;
}

export type StartUpStep =
  | { kind: "more" }
  /** Answer, and expect another start-up packet. */
  | { kind: "refused-encryption"; reply: Buffer; rest: Buffer }
  /** Answer; from `rest` on the client speaks to the server. */
  | { kind: "started"; reply: Buffer; rest: Buffer }
  /** Not for us: end the connection. */
  | { kind: "stranger" };

/**
 * Answers one start-up packet in the place of a server that has already let us in: no encryption, no password, the parameters of
 * our own session. What the client asks for in the packet (user, database, settings) was decided when that session began.
 */
export function answerStartUp(received: Buffer, facts: StartUpFacts): StartUpStep {
  if (received.length < 8) return { kind: "more" };
  const length = received.readUInt32BE(0);
  if (length < 8 || length > MAX_PACKET_BYTES) return { kind: "stranger" };
  if (received.length < length) return { kind: "more" };
  const code = received.readUInt32BE(4);
  const rest = received.subarray(length);
  if (code === SSL_REQUEST || code === GSSENC_REQUEST) return { kind: "refused-encryption", reply: Buffer.from("N"), rest };
  if (code === CANCEL_REQUEST || code >>> 16 !== 3) return { kind: "stranger" };
  return { kind: "started", reply: welcome(code, received.subarray(8, length), facts), rest };
}

/** A client's wish to cancel what another connection of it does; it has no secret that would allow it. */
export function isCancelRequest(received: Buffer): boolean {
  return received.length >= 8 && received.readUInt32BE(4) === CANCEL_REQUEST;
}

function welcome(version: number, packet: Buffer, { pid, parameters }: StartUpFacts): Buffer {
  const options = packet
    .toString("utf8")
    .split("\0")
    .filter((word, index) => index % 2 === 0 && word.startsWith("_pq_."));
  const newer = version > PROTOCOL_3_0 || options.length > 0;
  return Buffer.concat([
    message("R", int32(0)), // AuthenticationOk
    // A libpq that asks for protocol 3.2 or newer learns that this session speaks 3.0.
    ...(newer ? [message("v", int32(PROTOCOL_3_0), int32(options.length), ...options.map(cString))] : []),
    ...[...parameters].map(([name, value]) => message("S", cString(name), cString(value))),
    message("K", int32(pid), int32(0)), // no secret: a cancellation is ours to send
    message("Z", Buffer.from("I")),
  ]);
}

function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
