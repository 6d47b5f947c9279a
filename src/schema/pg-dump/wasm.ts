import { Worker } from "node:worker_threads";

import type { Session } from "../../postgres/session.ts";
import { cancelled, withinMs } from "../../util/wait.ts";
import { conninfo } from "./conninfo.ts";
import { dumpError, stuckError } from "./dump-error.ts";
import { type DumpRun, LOST_GRACE_MS } from "./dump-run.ts";
import { createErrorLines } from "./error-lines.ts";
import { createGateway, leaveGateway } from "./gateway.ts";
import { createPatience } from "./patience.ts";
import { createWasmAnswers } from "./wasm-answers.ts";
import { WORKER_SOURCE, type WorkerInput, type WorkerMessage } from "./wasm-worker.ts";

/**
 * Runs the built-in pg_dump in a worker over a session of ours. Its socket is here: the worker asks, sleeps, and is woken with
 * the whole answer of the server, which is held in memory as the script itself is.
 */
export async function runWasm(session: Session, { program, args, signal, patienceMs }: DumpRun): Promise<string> {
  using answers = createWasmAnswers();
  const outcome = createOutcome();
  using patience = createPatience(patienceMs, () => outcome.settle({ kind: "failed", text: "" }));
  const gateway = createGateway(session, {
    toClient: (bytes) => {
      answers.add(bytes);
      return true;
    },
    clientsTurn: () => {
      patience.start();
      answers.deliver();
    },
    serversTurn: patience.stop,
    drained: () => undefined,
  });
  let lost: { error: Error | undefined } | undefined;
  let gone = false;
  void gateway.ended.then(async (error) => {
    gone = true;
    if (!gateway.farewell) lost = { error };
    answers.deliver(); // what there is, and then nothing: libpq takes that for the end of the connection
    if ((await withinMs(LOST_GRACE_MS, outcome.settled)) === undefined) outcome.settle({ kind: "failed", text: "" });
  });

  const worker = startWorker({
    moduleUrl: import.meta.resolve("@electric-sql/pglite-tools/pg_dump"),
    args: [...args, `--dbname=${conninfo({ dbname: session.config.database })}`],
    turns: answers.turns,
    answers: answers.port,
  });
  worker.on("message", (message: WorkerMessage) => {
    if (message.kind !== "request") return outcome.settle(message);
    const { buffer, byteOffset, length } = message.bytes;
    answers.asked();
    gateway.fromClient(Buffer.from(buffer, byteOffset, length));
    if (gateway.idle || gone) answers.deliver();
  });
  worker.on("error", (error) => outcome.settle({ kind: "failed", text: `the worker broke: ${error.message}` }));
  worker.on("exit", (code) => outcome.settle({ kind: "failed", text: `the worker ended with code ${code}` }));
  const abort = (): void => outcome.settle({ kind: "failed", text: "" });
  signal?.addEventListener("abort", abort, { once: true });
  try {
    patience.start();
    if (signal?.aborted) abort();
    const end = await outcome.settled;
    if (signal?.aborted) throw cancelled(signal);
    if (end.kind === "done") return end.text;
    const { how, lines } = readFailure(end.text);
    if (patience.expired) throw stuckError(program, session.config, lines);
    throw dumpError({ program, config: session.config, how, lines, report: gateway.report, lost });
  } finally {
    signal?.removeEventListener("abort", abort);
    await withinMs(LOST_GRACE_MS, worker.terminate());
    await leaveGateway(gateway, session);
  }
}

type Outcome = Exclude<WorkerMessage, { kind: "request" }>;

/** The first who says how it ended is right. */
function createOutcome(): { settled: Promise<Outcome>; settle: (outcome: Outcome) => void } {
  let settle: (outcome: Outcome) => void = () => undefined;
  const settled = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });
  return { settled, settle };
}

function startWorker(input: WorkerInput): Worker {
  const worker = new Worker(WORKER_SOURCE, {
    eval: true,
    env: {}, // no password, no PG* variable
    argv: [],
    execArgv: [], // not the caller's loaders
    stdout: true, // the library's console noise ends here
    stderr: true,
    workerData: input,
    transferList: [input.answers],
  });
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}

/** It looks for its own file and finds none in the worker's empty file system: of no consequence. */
const NO_EXECUTABLE = /^could not find a "pg_dump" to execute/;

/** The library puts all of pg_dump's stderr into one error, without line ends. */
function readFailure(text: string): { how: string; lines: readonly string[] } {
  const match = /^pg_dump failed with exit code (\d+)\. \nError message: (.*)$/s.exec(text);
  const errors = createErrorLines();
  const words = (match?.[2] ?? text).replace(NO_EXECUTABLE, "");
  errors.push(words.replace(/(?=pg_dump: \w)/g, "\n"));
  return { how: match === null ? "no exit code" : `exit code ${match[1] ?? ""}`, lines: errors.lines };
}
