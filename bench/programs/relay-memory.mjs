// What the relay costs by itself: forwards frames held in memory between two sockets of this process, through the sessions and the code
// that a copy uses. Both ends are threads, so that this thread's CPU is the relay's. Arguments: GB in all, streams.
import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { relay } from "../../dist/copy/relay.js";
import { cpuOf } from "../measure/proc.mjs";
import { openSession } from "./open-session.mjs";

const [gigabytes, streams] = process.argv.slice(2).map(Number);
const bytes = (gigabytes * 1e9) / streams;
const from = await startServer();
const to = await startServer();
const ends = await Promise.all(
  Array.from({ length: streams }, async () => ({
    source: await openSession(from.url, "source"),
    target: await openSession(to.url, "target"),
  })),
);

const cpuBefore = threadCpu();
const started = process.hrtime.bigint();
const done = await Promise.all(
  ends.map((pair) => relay(pair, { copyOut: "COPY memory TO STDOUT (FORMAT binary)", copyIn: "COPY memory FROM STDIN (FORMAT binary)" })),
);
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
const moved = done.flat().reduce((sum, { bytes }) => sum + bytes, 0) / 1e9;
const cpu = cpuBefore === undefined ? {} : { "CPU s/GB of the event loop": (threadCpu() - cpuBefore) / moved };
console.log(JSON.stringify({ "GB/s": moved / seconds, ...cpu }));
process.exit(0); // sessions and threads go with it

async function startServer() {
  const worker = new Worker(new URL("memory-server.mjs", import.meta.url), { workerData: { bytes } });
  const [port] = await once(worker, "message");
  return { url: new URL(`postgresql://postgres@127.0.0.1:${port}/memory`) };
}

/** The main thread has its process's id; its line holds its own times only. Undefined where there is no /proc. */
function threadCpu() {
  return cpuOf(`self/task/${process.pid}`)?.own;
}
