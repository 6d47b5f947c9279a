/** Since this version there is the setting that pg_restore 17 and newer makes on every connection, whatever the server. */
const SINCE = 170_000;

/** As pg_restore sends it, each setting in a message of its own (manual 55.7, Query). */
const REFUSED = query("SET transaction_timeout = 0;\n");
const KNOWN = query("SET statement_timeout = 0;  \n");

/** From here on a connection carries rows, which may hold any bytes. */
const ROWS = " FROM stdin;";

/**
 * Makes of the setting that an older server refuses, and that would end pg_restore there, one that it knows and has been given already. Settings
 * come before the first COPY of a connection; behind that nothing is looked at.
 */
export function knownSettings(serverVersion: number): (fromClient: Buffer) => Buffer {
  let done = serverVersion >= SINCE;
  return (bytes) => {
    if (done) return bytes;
    const rows = bytes.indexOf(ROWS);
    done = rows !== -1;
    const at = bytes.indexOf(REFUSED);
    if (at === -1 || (rows !== -1 && rows < at)) return bytes;
    return Buffer.concat([bytes.subarray(0, at), KNOWN, bytes.subarray(at + REFUSED.length)]);
  };
}

function query(sql: string): Buffer {
  const head = Buffer.from("Q\0\0\0\0");
  head.writeUInt32BE(sql.length + 5, 1);
  return Buffer.concat([head, Buffer.from(`${sql}\0`)]);
}
