/** Type bytes of CopyData and CopyDone (manual 55.7 "Message Formats"): the same from a server and to one. */
const COPY_DATA = 0x64;
const COPY_DONE = 0x63;

export interface FrameRoutes {
  /**
   * Whole or partial CopyData and CopyDone frames, headers included, exactly as they came; and how many CopyData frames have begun with
   * them: a server sends one a row (manual 55.2.6), and a binary COPY one more at its end.
   */
  data: (bytes: Buffer, begun: number) => void;
  /** Everything else: for the ordinary protocol parser. */
  other: (bytes: Buffer) => void;
  /** A CopyDone has been seen; bytes of the CopyData frames since the one before, headers included. */
  copied?: ((bytes: number) => void) | undefined;
}

export interface FrameWalker {
  walk: (chunk: Buffer) => void;
}

/**
 * Cuts a stream of backend messages into runs of COPY frames and runs of anything else, without looking inside either and without
 * copying: a CopyData frame has the same bytes in both directions, so a run can be written to another server as it is. Frames
 * may be split anywhere between chunks, also inside the header.
 */
export function createFrameWalker(routes: FrameRoutes): FrameWalker {
  let headerSeen = 0; // bytes of the current message's five-byte header already seen
  let length = 0;
  let bodyLeft = 0;
  let type = 0;
  let isFrame = false;
  let copyBytes = 0;
  let begun = 0;

  const headerEnds = (): void => {
    if (type === COPY_DATA) {
      copyBytes += bodyLeft + 5;
      begun += 1;
    } else if (type === COPY_DONE) {
      routes.copied?.(copyBytes);
      copyBytes = 0;
    }
  };

  const hand = (bytes: Buffer): void => {
    if (!isFrame) return routes.other(bytes);
    const rows = begun;
    begun = 0;
    routes.data(bytes, rows);
  };

  const walk = (chunk: Buffer): void => {
    const end = chunk.length;
    let at = 0;
    let runStart = 0;
    while (at < end) {
      if (headerSeen === 0) {
        type = chunk[at] ?? 0;
        const nextIsFrame = type === COPY_DATA || type === COPY_DONE;
        if (nextIsFrame !== isFrame) {
          if (at > runStart) hand(chunk.subarray(runStart, at));
          runStart = at;
          isFrame = nextIsFrame;
        }
        if (end - at >= 5) {
          bodyLeft = chunk.readUInt32BE(at + 1) - 4;
          at += 5;
          headerSeen = 5;
          headerEnds();
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
        headerEnds();
      }
      const take = Math.min(bodyLeft, end - at);
      at += take;
      bodyLeft -= take;
      if (bodyLeft > 0) break;
      headerSeen = 0;
    }
    if (end > runStart) hand(chunk.subarray(runStart, end));
  };

  return { walk };
}
