import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";

/**
 * Bytes read at once. CPU seconds of the event loop per GB, eight streams from memory: 0.92 with 64 KB, 0.75 with 128, 0.66 with 256, 0.63
 * with 512; 1.2 with the buffers that Node makes (bench/README.md).
 */
const READ_BYTES = 256 * 1024;

/** Told of what was read: a view that the next read overwrites. */
type Reader = (view: Buffer) => void;

/**
 * A socket that reads into one buffer again and again, where Node's own makes a new one of 64 KB for each read. Its stream gives copies;
 * whoever diverts it sees the buffer itself.
 */
export class PlainSocket extends Socket {
  #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #reader: Reader | undefined;

  constructor() {
    const onread: OnReadOpts = {
      buffer: () => this.#buffer,
      callback: (bytes, buffer) => this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, bytes)),
    };
    // the types of Node 20 know it for `connect` only, where Node hands it on to the constructor
    const options: SocketConstructorOpts & { onread: OnReadOpts } = { onread };
    super(options);
  }

  /** From now on `reader` gets what comes, and nobody else; undefined: the stream gives it again. */
  divert(reader: Reader | undefined): void {
    this.#reader = reader;
  }

  /** Leaves the buffer to whoever has views of it still, and reads into another. Only from within a reader. */
  renewBuffer(): void {
    this.#buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  }

  /** False would stop the reading; a full stream does that, a reader pauses by itself. */
  #read(view: Buffer): boolean {
    if (this.#reader === undefined) return this.push(Buffer.from(view));
    this.#reader(view);
    return true;
  }
}
