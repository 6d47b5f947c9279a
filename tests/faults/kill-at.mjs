// A switch that kills the process at its n-th side effect on the target, without a line in the product:
//   NODE_OPTIONS="--import file:///…/kill-at.mjs" PGDITTO_FAULT_PORT=… PGDITTO_FAULT_AT=n PGDITTO_FAULT_WHEN=before|after pgditto …
//
// A side effect is a message to the target's port that changes something there: a statement that is no mere reading or setting
// of the session (Query, Parse), the first CopyData of a COPY, and CopyDone. "before": the message never leaves; "after": it
// is with the kernel, so the server gets it, and nobody hears the answer. PGDITTO_FAULT_MATCH counts only what matches it.
// PGDITTO_FAULT_LOG gets a line for every side effect, so that a run that ends says how many there are.
import { appendFileSync } from "node:fs";
import { Socket } from "node:net";
import { isMainThread } from "node:worker_threads";

const { PGDITTO_FAULT_PORT, PGDITTO_FAULT_AT, PGDITTO_FAULT_WHEN, PGDITTO_FAULT_MATCH, PGDITTO_FAULT_LOG } = process.env;
const port = Number(PGDITTO_FAULT_PORT);
const fatal = Number(PGDITTO_FAULT_AT ?? "0");
const match = new RegExp(PGDITTO_FAULT_MATCH ?? "", "i");

/** The first words of statements that leave the server as it was; a transaction that is only begun does, too. */
const HARMLESS = /^(?:select|show|set|reset|values|with|begin|start|declare|fetch|close|)$/i;
/** Functions that do not. Advisory locks count: others see them. */
const CHANGING = /\b(?:pg_(?:try_)?advisory|pg_terminate_backend|pg_cancel_backend|setval|lo_\w+|lowrite|pg_restore_)/i;
/** As much of a statement as is looked at. */
const LOOKED_AT = 64 * 1024;

const START_UP = 196608;
let count = 0;

/** One connection's messages, which may be cut anywhere. Calls back with the label of each that changes something. */
function walker(found) {
  let rest = Buffer.alloc(0);
  let started = false;
  let skip = 0;
  let copying = false;
  return (chunk) => {
    let bytes = chunk;
    if (skip > 0) {
      const skipped = Math.min(skip, bytes.length);
      skip -= skipped;
      bytes = bytes.subarray(skipped);
    }
    bytes = Buffer.concat([rest, bytes]);
    for (;;) {
      const header = started ? 5 : 8;
      if (bytes.length < header) break;
      const length = bytes.readInt32BE(header === 5 ? 1 : 0) + (started ? 1 : 0);
      const type = started ? String.fromCharCode(bytes[0]) : "";
      const text = type === "Q" || type === "P";
      if (!started && bytes.readInt32BE(4) === START_UP) started = true;
      if (text && bytes.length < Math.min(length, LOOKED_AT)) break;
      if (text) {
        // a Parse has the statement's name before its text
        const [first = "", second = ""] = bytes.toString("utf8", 5, Math.min(length, LOOKED_AT)).split("\0");
        const sql = type === "P" ? second : first;
        copying = false;
        if (changes(sql)) found(sql.replaceAll(/\s+/g, " ").slice(0, 300));
      } else if (type === "c") found("CopyDone");
      else if (type === "d" && !copying) {
        copying = true;
        found("CopyData");
      }
      if (type === "c") copying = false;
      skip = Math.max(0, length - bytes.length);
      bytes = bytes.subarray(Math.min(length, bytes.length));
      if (skip > 0) break;
    }
    rest = Buffer.from(bytes);
  };
}

function changes(sql) {
  if (CHANGING.test(sql)) return true;
  return sql.split(/;/).some((statement) => !HARMLESS.test(/^\s*(\w*)/.exec(statement)[1]));
}

const walkers = new WeakMap();
const writeToSocket = Reflect.get(Socket.prototype, "write");

if (isMainThread && port > 0) {
  Socket.prototype.write = function (chunk, ...rest) {
    if (this.remotePort !== port || typeof chunk === "string") return writeToSocket.call(this, chunk, ...rest);
    let due = false;
    if (!walkers.has(this)) walkers.set(this, { due: () => {}, walk: walker((label) => walkers.get(this).due(label)) });
    const state = walkers.get(this);
    state.due = (label) => {
      if (!match.test(label)) return;
      count += 1;
      if (PGDITTO_FAULT_LOG) appendFileSync(PGDITTO_FAULT_LOG, `${label}\n`);
      due ||= count === fatal;
    };
    state.walk(chunk);
    if (!due) return writeToSocket.call(this, chunk, ...rest);
    if (PGDITTO_FAULT_WHEN !== "after") die();
    // in the callback it is the kernel's; a corked socket has handed over what belongs to it by then, too
    return writeToSocket.call(this, chunk, die);
  };
}

function die() {
  process.kill(process.pid, "SIGKILL");
  // the signal is on its way; nothing more may be written until it is here
  for (;;);
}
