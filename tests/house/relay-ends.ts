import type { RelayEnds } from "../../src/copy/relay.ts";
import { deferred } from "./deferred.ts";

type Sink = Parameters<RelayEnds["source"]["copyOut"]>[1];

/** Both ends of a relay in the hands of the test. */
export function fakeEnds() {
  const out = deferred<string[]>();
  const ready = deferred<void>();
  const ended = deferred<string[]>();
  ended.promise.catch(() => undefined);
  const log: string[] = [];
  const received: Buffer[] = [];
  const fake = {
    log,
    received,
    room: true,
    drain: undefined as (() => void) | undefined,
    resumed: 0,
    bytes: 0,
    sink: undefined as Sink | undefined,
    /** What the source's socket does with a chunk: writes, and pauses when it is told to. */
    send: (text: string): boolean => {
      fake.bytes += text.length;
      const room = fake.sink?.write(Buffer.from(text), 1) ?? false;
      if (!room) fake.sink?.onDrain(() => (fake.resumed += 1));
      return room;
    },
    /** The last frames have come, and with each COPY's tag the source is through. */
    sourceDone: (...tags: string[]) => {
      for (const _ of tags) {
        fake.sink?.copied(fake.bytes);
        fake.bytes = 0;
        fake.sink?.sent();
      }
      out.resolve(tags);
    },
    sourceFails: (error: Error) => out.reject(error),
    targetReady: () => ready.resolve(),
    targetRefuses: (error: Error) => ready.reject(error),
    targetFails: (error: Error) => ended.reject(error),
    /** The target has taken this COPY. */
    taken: undefined as (() => void) | undefined,
    targetDone: (...tags: string[]) => {
      for (const _ of tags) fake.taken?.();
      ended.resolve(tags);
    },
  };
  const ends: RelayEnds = {
    source: {
      copyOut: (sql, sink) => {
        log.push(`source: ${sql}`);
        fake.sink = sink;
        return out.promise;
      },
      abort: async () => {
        log.push("source aborted");
        out.reject(new Error("source: Connection terminated"));
      },
    },
    target: {
      copyIn: async (sql, taken) => {
        log.push(`target: ${sql}`);
        fake.taken = taken;
        await ready.promise;
        return {
          write: (frames) => {
            received.push(frames);
            return fake.room;
          },
          onDrain: (resume) => {
            const earlier = fake.drain;
            fake.drain = () => {
              fake.drain = undefined;
              earlier?.();
              resume();
            };
          },
          ended: ended.promise,
        };
      },
      abort: async () => {
        log.push("target aborted");
        ready.reject(new Error("target: Connection terminated"));
        ended.reject(new Error("target: Connection terminated"));
      },
    },
  };
  return { fake, ends, text: () => Buffer.concat(received).toString() };
}
