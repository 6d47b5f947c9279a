import type { FileHandle } from "node:fs/promises";

import { PgdittoError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";

/** Bytes of one large object, and where they begin in it. Every object has a piece at 0. */
export interface Piece {
  oid: number;
  at: number;
  data: Buffer;
}

/** Bytes read of every object of a batch at once; the rest of longer ones follows in `CHUNK`s. */
const FIRST = 64 * 1024;
const CHUNK = 4 * 1024 * 1024;

/** The objects of a batch: first the beginnings of all, in one round trip, then the rest of those that are longer. */
export async function* readPieces(source: Session, oids: readonly number[], signal: AbortSignal): AsyncGenerator<Piece[]> {
  const heads = await source.query<{ oid: number; data: Buffer }>(
    `SELECT o.oid, pg_catalog.lo_get(o.oid, 0, ${FIRST}) AS data FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS o(oid)`,
    [oids],
    signal,
  );
  yield heads.map((head) => ({ ...head, at: 0 }));
  for (const { oid, data } of heads) {
    if (data.length < FIRST) continue;
    for (let at = FIRST; ;) {
      const [row] = await source.query<{ data: Buffer }>("SELECT pg_catalog.lo_get($1, $2, $3) AS data", [oid, at, CHUNK], signal);
      if (!row || row.data.length === 0) break;
      yield [{ oid, at, data: row.data }];
      at += row.data.length;
      if (row.data.length < CHUNK) break;
    }
  }
}

/** In a file: OID (4 bytes), place (8), length (4), all big-endian, and the bytes. */
const HEAD_BYTES = 16;

export async function writePieces(file: FileHandle, pieces: readonly Piece[]): Promise<void> {
  for (const { oid, at, data } of pieces) {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32BE(oid, 0);
    head.writeBigUInt64BE(BigInt(at), 4);
    head.writeUInt32BE(data.length, 12);
    await file.appendFile(Buffer.concat([head, data]));
  }
}

/** As `readPieces` has given them. */
export async function* readPiecesOfFile(file: FileHandle): AsyncGenerator<Piece[]> {
  let heads: Piece[] | undefined = [];
  for (;;) {
    const head = await readExactly(file, HEAD_BYTES);
    if (head.length === 0) break;
    const piece = {
      oid: head.readUInt32BE(0),
      at: Number(head.readBigUInt64BE(4)),
      data: await readExactly(file, head.readUInt32BE(12)),
    };
    if (heads && piece.at === 0) heads.push(piece);
    else {
      if (heads) yield heads;
      heads = undefined;
      yield [piece];
    }
  }
  if (heads) yield heads;
}

/** So many bytes, or none at the end of the file. */
async function readExactly(file: FileHandle, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let there = 0;
  while (there < bytes) {
    const { bytesRead } = await file.read(buffer, there, bytes - there);
    if (bytesRead === 0) break;
    there += bytesRead;
  }
  if (there > 0 && there < bytes) throw new PgdittoError("internal", "A file of large objects ends in the middle of one.");
  return buffer.subarray(0, there);
}
