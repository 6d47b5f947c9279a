import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";

/**
 * Bytes read at once. CPU seconds of the event loop per GB, eight streams from memory: 0.92 with 64 KB, 0.75 with 128, 0.66 with 256, 0.63
 * with 512; 1.2 with the buffers that Node makes (bench/README.md).
 */
const READ_BYTES = 256 * 1024;

/** Told of what was read: a view that the next read overwrites, unless it is held. */
type Reader = (view: Buffer) => void;

interface Block {
  bytes: Buffer;
  holders: number;
}

/**
 * A socket that reads into the same memory again and again, where Node's own makes a new buffer of 64 KB for each read. Its stream gives
 * copies; whoever diverts it sees the memory itself.
 */
export class PlainSocket extends Socket {
  #block = newBlock();
  #free: Block | undefined;
  #reader: Reader | undefined;

  constructor() {
    const onread: OnReadOpts = {
      buffer: () => this.#nextBuffer(),
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

  /** For a reader: what it has just got stays as it is until the function that this returns is called, once. More than one may hold it. */
  hold(): () => void {
    const block = this.#block;
    block.holders += 1;
    return () => {
      block.holders -= 1;
      if (block.holders === 0 && block !== this.#block) this.#free = block;
    };
  }

  /** Node asks after each read where to put the next one. */
  #nextBuffer(): Buffer {
    if (this.#block.holders > 0) {
      this.#block = this.#free ?? newBlock();
      this.#free = undefined;
    }
    return this.#block.bytes;
  }

  /** False would stop the reading; a full stream does that, a reader pauses by itself. */
  #read(view: Buffer): boolean {
    if (this.#reader === undefined) return this.push(Buffer.from(view));
    this.#reader(view);
    return true;
  }
}

function newBlock(): Block {
  return { bytes: Buffer.allocUnsafeSlow(READ_BYTES), holders: 0 };
}
