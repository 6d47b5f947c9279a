import { MessageChannel, type MessagePort } from "node:worker_threads";

/** Hands whole answers to a worker that sleeps in `Atomics.wait` until one is there. */
export interface WasmAnswers extends Disposable {
  /** For the worker. */
  readonly port: MessagePort;
  readonly turns: Int32Array;
  /** The worker has asked and sleeps from now on. */
  asked: () => void;
  add: (bytes: Buffer) => void;
  /** Wakes the worker with everything added so far; without effect when it does not sleep. */
  deliver: () => void;
}

export function createWasmAnswers(): WasmAnswers {
  const { port1, port2 } = new MessageChannel();
  const turns = new Int32Array(new SharedArrayBuffer(4));
  let pieces: Buffer[] = [];
  let asleep = false;
  return {
    port: port2,
    turns,
    asked: () => {
      asleep = true;
    },
    add: (bytes) => void pieces.push(bytes),
    deliver: () => {
      if (!asleep) return;
      asleep = false;
      const answer = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0)); // not from Node's pool: it moves
      let at = 0;
      for (const piece of pieces) {
        answer.set(piece, at);
        at += piece.length;
      }
      pieces = [];
      port1.postMessage(answer, [answer.buffer]);
      Atomics.add(turns, 0, 1);
      Atomics.notify(turns, 0);
    },
    [Symbol.dispose]: () => port1.close(),
  };
}
