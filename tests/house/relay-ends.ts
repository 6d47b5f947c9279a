import type { RelayEnds } from "../../src/copy/relay.ts";
import { deferred } from "./deferred.ts";

type Sink = Parameters<RelayEnds["source"]["copyOut"]>[1];

/** Both ends of a relay in the hands of the test. */
export function fakeEnds() {
  const out = deferred<string>();
  const ready = deferred<void>();
  const ended = deferred<string>();
  ended.promise.catch(() => undefined);
  const log: string[] = [];
  const received: Buffer[] = [];
  const fake = {
    log,
    received,
    room: true,
    drain: undefined as (() => void) | undefined,
    resumed: 0,
    sink: undefined as Sink | undefined,
    /** What the source's socket does with a chunk: writes, and pauses when it is told to. */
    send: (text: string): boolean => {
      const room = fake.sink?.write(Buffer.from(text)) ?? false;
      if (!room) fake.sink?.onDrain(() => (fake.resumed += 1));
      return room;
    },
    sourceDone: (tag: string) => out.resolve(tag),
    sourceFails: (error: Error) => out.reject(error),
    targetReady: () => ready.resolve(),
    targetRefuses: (error: Error) => ready.reject(error),
    targetFails: (error: Error) => ended.reject(error),
    finishTag: "COPY 0" as string | Error,
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
      copyIn: async (sql) => {
        log.push(`target: ${sql}`);
        await ready.promise;
        return {
          write: (frames) => {
            received.push(frames);
            return fake.room;
          },
          onDrain: (resume) => {
            fake.drain = resume;
          },
          finish: () => {
            log.push("finish");
            if (fake.finishTag instanceof Error) ended.reject(fake.finishTag);
            else ended.resolve(fake.finishTag);
            return ended.promise;
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
