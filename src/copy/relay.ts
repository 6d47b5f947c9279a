import { PgdittoError } from "../errors.ts";

/** The receiving half: a `COPY … FROM STDIN` that waits for frames. */
interface FrameTarget {
  write: (frames: Buffer) => boolean;
  onDrain: (resume: () => void) => void;
  finish: () => Promise<string>;
  readonly ended: Promise<string>;
}

/** The two sessions of a copy, as far as the relay needs them. */
export interface RelayEnds {
  source: { copyOut: (sql: string, sink: Pick<FrameTarget, "write" | "onDrain">) => Promise<string>; abort: () => Promise<void> };
  target: { copyIn: (sql: string) => Promise<FrameTarget>; abort: () => Promise<void> };
}

export interface RelayOptions {
  /** Ends with `COPY … TO STDOUT`. */
  copyOut: string;
  /** Ends with `COPY … FROM STDIN`; statements before it run first. */
  copyIn: string;
  /** Called with the number of bytes forwarded since the last call, headers of the frames included. */
  onBytes?: ((bytes: number) => void) | undefined;
}

export interface RelayResult {
  rows: number;
  bytes: number;
}

/**
 * Streams one COPY into another as opaque frames, with back-pressure from socket to socket. Both ends start at the same time;
 * CopyDone is sent only after the source has said that it is complete, and both command tags must count the same rows: a text
 * COPY drops what follows a `\.` line without any error (measured with PostgreSQL 15).
 *
 * After a failure both sessions are aborted: a stream that broke within a frame cannot be ended politely, and a polite end would
 * commit part of a table.
 */
export async function relay(ends: RelayEnds, options: RelayOptions): Promise<RelayResult> {
  let bytes = 0;
  let open: FrameTarget | undefined;
  let waiting: Buffer[] = []; // frames that came before the target was ready: at most what one socket read holds
  let resumeSource = (): void => {};
  let blame = (_error: unknown): void => {};
  const listenerFailed = new Promise<never>((_resolve, reject) => {
    blame = reject;
  });
  listenerFailed.catch(() => undefined);

  const targetReady = ends.target.copyIn(options.copyIn).then((copy) => {
    open = copy;
    let room = true;
    for (const frames of waiting) room = copy.write(frames);
    waiting = [];
    if (room) resumeSource();
    else copy.onDrain(resumeSource);
    return copy;
  });
  const sourceDone = ends.source.copyOut(options.copyOut, {
    write: (frames) => {
      bytes += frames.length;
      try {
        options.onBytes?.(frames.length);
      } catch (error) {
        blame(error); // thrown here it would go through the socket and end the process
      }
      if (open) return open.write(frames);
      waiting.push(frames);
      return false;
    },
    onDrain: (resume) => {
      if (open) open.onDrain(resume);
      else resumeSource = resume;
    },
  });
  const targetFailed = targetReady.then((copy) => copy.ended);
  try {
    const sent = await Promise.race([sourceDone, targetFailed, listenerFailed]);
    const copy = await targetReady;
    const taken = await copy.finish();
    return { rows: sameRows(sent, taken), bytes };
  } catch (error) {
    await Promise.all([ends.source.abort(), ends.target.abort()]);
    await Promise.allSettled([sourceDone, targetFailed]);
    throw error;
  }
}

/** Both tags read `COPY n`; anything else is a defect worth stopping for. */
function sameRows(sent: string, taken: string): number {
  const rows = [sent, taken].map((tag) => Number(/^COPY (\d+)$/.exec(tag)?.[1] ?? Number.NaN));
  const [out = Number.NaN, into = Number.NaN] = rows;
  if (out === into) return out;
  throw new PgdittoError("copy", `The source sent ${out} rows, the target took ${into}.`, {
    hint: "The copy was rolled back. A text value that looks like COPY's end marker does this; report it with the table's column types.",
  });
}
