import { laterAwaited } from "../util/wait.ts";
import { PgdittoError } from "../errors.ts";

/** The receiving half: one or more `COPY … FROM STDIN` that wait for frames. What `write` answers false to is kept until `onDrain` calls back. */
interface FrameTarget {
  write: (frames: Buffer) => boolean;
  onDrain: (resume: () => void) => void;
  readonly ended: Promise<string[]>;
}

interface FrameSink extends Pick<FrameTarget, "onDrain"> {
  write: (frames: Buffer, begun: number) => boolean;
  copied: (bytes: number) => void;
  sent: () => void;
}

/** The two sessions of a copy, as far as the relay needs them. */
export interface RelayEnds {
  source: { copyOut: (sql: string, sink: FrameSink) => Promise<string[]>; abort: () => Promise<void> };
  target: { copyIn: (sql: string, taken: () => void) => Promise<FrameTarget>; abort: () => Promise<void> };
}

export interface RelayOptions {
  /** Some `COPY … TO STDOUT`. */
  copyOut: string;
  /** As many `COPY … FROM STDIN`, in the same order; other statements may stand between them. */
  copyIn: string;
  /** Called with the bytes forwarded since the last call, headers of the frames included, and with about as many rows as they are. */
  onBytes?: ((bytes: number, rows: number) => void) | undefined;
  /** Asked after each chunk: what it gives has to settle before more is read from the source. It never fails. */
  pace?: ((bytes: number) => Promise<void> | undefined) | undefined;
  /** Tells of a failure; it was in the COPY of this index. */
  describeFailure?: ((error: unknown, index: number) => unknown) | undefined;
}

/** What one COPY moved. */
export interface RelayResult {
  rows: number;
  bytes: number;
}

/**
 * Streams COPYs of one session into COPYs of another as opaque frames, with back-pressure from socket to socket. Both ends start at the
 * same time; a COPY's end is one of the frames, so that the next one follows without a round trip. The caller commits, and only
 * after both ends are through and the command tags count the same rows: a text COPY drops what follows a `\.` line without any error
 * (measured with PostgreSQL 15).
 *
 * After a failure both sessions are aborted: a stream that broke within a frame cannot be ended politely, and a polite end would
 * commit part of a table.
 */
export async function relay(ends: RelayEnds, options: RelayOptions): Promise<RelayResult[]> {
  const bytes: number[] = [];
  const seen = { source: 0, target: 0 };
  let compared: number | undefined;
  let open: FrameTarget | undefined;
  let waiting: Buffer[] = []; // frames that came before the target was ready: at most what one socket read holds
  const paused: (() => void)[] = []; // what the source waits for because of them
  let room = true;
  let held: Promise<void> | undefined; // the source is paused, not the target, which keeps nothing but what it has got
  let blame = (_error: unknown): void => {};
  const listenerFailed = laterAwaited(
    new Promise<never>((_resolve, reject) => {
      blame = reject;
    }),
  );

  const target = ends.target
    .copyIn(options.copyIn, () => (seen.target += 1))
    .then((copy) => {
      open = copy;
      room = true;
      for (const frames of waiting) room = copy.write(frames);
      waiting = [];
      for (const resume of paused) {
        if (room) resume();
        else copy.onDrain(resume);
      }
      return copy.ended;
    });
  const source = ends.source.copyOut(options.copyOut, {
    write: (frames, begun) => {
      try {
        options.onBytes?.(frames.length, begun);
      } catch (error) {
        blame(error); // thrown here it would go through the socket and end the process
      }
      held = options.pace?.(frames.length);
      if (open) {
        room = open.write(frames);
        return room && held === undefined;
      }
      waiting.push(frames);
      return false;
    },
    onDrain: (resume) => {
      const pace = held;
      const goOn = pace === undefined ? resume : (): void => void pace.then(resume);
      if (!open) paused.push(goOn);
      else if (room) goOn();
      else open.onDrain(goOn);
    },
    copied: (size) => bytes.push(size),
    sent: () => (seen.source += 1),
  });
  try {
    const [sent, taken] = await Promise.race([Promise.all([source, target]), listenerFailed]);
    return sent.map((tag, i) => {
      compared = i;
      return { rows: sameRows(tag, taken[i]), bytes: bytes[i] ?? 0 };
    });
  } catch (error) {
    await Promise.all([ends.source.abort(), ends.target.abort()]);
    await Promise.allSettled([source, target]);
    const onSource = error instanceof PgdittoError && error.side === "source";
    throw options.describeFailure?.(error, compared ?? (onSource ? seen.source : seen.target)) ?? error;
  }
}

/** Both tags read `COPY n`; anything else is a defect worth stopping for. */
function sameRows(sent: string, taken: string | undefined): number {
  const rows = [sent, taken].map((tag) => Number(/^COPY (\d+)$/.exec(tag ?? "")?.[1] ?? Number.NaN));
  const [out = Number.NaN, into = Number.NaN] = rows;
  if (out === into) return out;
  throw new PgdittoError("copy", `The source sent ${out} rows, the target took ${into}.`, {
    hint: "The copy was rolled back. A text value that looks like COPY's end marker does this; report it with the table's column types.",
  });
}
