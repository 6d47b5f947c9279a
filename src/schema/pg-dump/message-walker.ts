export interface MessageWatch {
  /** The types whose bodies are wanted; the others are passed over without copying. */
  wanted: ReadonlySet<string>;
  /** Called at the end of each message; the body is empty when it was not wanted. */
  message: (type: string, body: Buffer) => void;
}

const HEADER_BYTES = 5;
const NOTHING = Buffer.alloc(0);

/** Watches a stream of protocol messages of one direction (manual 55.7) pass by, split anywhere, without holding it up. */
export function createMessageWalker(watch: MessageWatch): (chunk: Buffer) => void {
  const header = Buffer.alloc(HEADER_BYTES);
  let headerSeen = 0;
  let bodyLeft = 0;
  let type = "";
  let keep = false;
  let pieces: Buffer[] = [];

  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (headerSeen < HEADER_BYTES) {
        const taken = chunk.copy(header, headerSeen, at, at + HEADER_BYTES - headerSeen);
        headerSeen += taken;
        at += taken;
        if (headerSeen < HEADER_BYTES) return;
        type = String.fromCharCode(header[0] ?? 0);
        bodyLeft = Math.max(0, header.readUInt32BE(1) - 4);
        keep = watch.wanted.has(type);
      }
      const taken = Math.min(bodyLeft, chunk.length - at);
      if (keep && taken > 0) pieces.push(chunk.subarray(at, at + taken));
      at += taken;
      bodyLeft -= taken;
      if (bodyLeft > 0) return;
      const body = pieces.length === 0 ? NOTHING : Buffer.concat(pieces);
      pieces = [];
      headerSeen = 0;
      watch.message(type, body);
    }
  };
}
