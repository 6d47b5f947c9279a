/** The type byte of a CopyData message (manual 55.7 "Message Formats"). */
const COPY_DATA = 0x64;

export interface FrameRoutes {
  /** Whole or partial CopyData frames, headers included, exactly as they came. */
  data: (bytes: Buffer) => void;
  /** Everything else: for the ordinary protocol parser. */
  other: (bytes: Buffer) => void;
}

export interface FrameWalker {
  walk: (chunk: Buffer) => void;
  /** CopyData messages seen so far. */
  readonly frames: number;
}

/**
 * Cuts a stream of backend messages into runs of CopyData and runs of anything else, without looking inside either and without
 * copying: a CopyData frame has the same bytes in both directions, so a run can be written to another server as it is. Frames
 * may be split anywhere between chunks, also inside the header.
 */
export function createFrameWalker(routes: FrameRoutes): FrameWalker {
  let headerSeen = 0; // bytes of the current message's five-byte header already seen
  let length = 0;
  let bodyLeft = 0;
  let isData = false;
  let frames = 0;

  const walk = (chunk: Buffer): void => {
    const end = chunk.length;
    let at = 0;
    let runStart = 0;
    while (at < end) {
      if (headerSeen === 0) {
        const nextIsData = chunk[at] === COPY_DATA;
        if (nextIsData !== isData) {
          if (at > runStart) (isData ? routes.data : routes.other)(chunk.subarray(runStart, at));
          runStart = at;
          isData = nextIsData;
        }
        if (nextIsData) frames += 1;
        if (end - at >= 5) {
          bodyLeft = chunk.readUInt32BE(at + 1) - 4;
          at += 5;
          headerSeen = 5;
        } else {
          at += 1;
          headerSeen = 1;
          length = 0;
        }
      }
      if (headerSeen < 5) {
        while (headerSeen < 5 && at < end) {
          length = length * 256 + (chunk[at] ?? 0);
          at += 1;
          headerSeen += 1;
        }
        if (headerSeen < 5) break;
        bodyLeft = length - 4;
      }
      const take = Math.min(bodyLeft, end - at);
      at += take;
      bodyLeft -= take;
      if (bodyLeft > 0) break;
      headerSeen = 0;
    }
    if (end > runStart) (isData ? routes.data : routes.other)(chunk.subarray(runStart, end));
  };

  return {
    walk,
    get frames() {
      return frames;
    },
  };
}
