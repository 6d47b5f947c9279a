import { constants } from "node:os";

import { PgdittoError } from "../index.ts";
import { flushOutput, printError } from "./terminal.ts";

export interface SignalWatch extends Disposable {
  signal: AbortSignal;
  /** 128 plus the number of the signal that ended the run, where one did: 130 for Ctrl+C, 143 for SIGTERM. */
  exitCode: () => number | undefined;
}

const WATCHED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The first signal stops the run cleanly; a second one ends the process at once, as if nobody had caught it. */
export function watchSignals(): SignalWatch {
  const controller = new AbortController();
  let caught: (typeof WATCHED)[number] | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    const known = WATCHED.find((watched) => watched === name);
    if (caught !== undefined) {
      for (const watched of WATCHED) process.off(watched, onSignal);
      flushOutput();
      process.kill(process.pid, name);
      return;
    }
    caught = known;
    printError(`\n${name}: stopping cleanly. Once more to force.`);
    controller.abort(
      // with --mode recreate whoever dropped the target says so instead
      new PgdittoError("cancelled", `The run was cancelled by ${name}.`, { hint: "The target is as it was." }),
    );
  };
  for (const watched of WATCHED) process.on(watched, onSignal);
  let hungUp = false;
  const onClosedPipe = (error: NodeJS.ErrnoException): void => {
    // EIO: the terminal is gone
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    hungUp ||= error.code === "EIO";
    controller.abort(new PgdittoError("cancelled", `Nobody reads the output any more (${error.code}).`));
  };
  process.stdout.on("error", onClosedPipe);
  process.stderr.on("error", () => undefined);
  return {
    signal: controller.signal,
    exitCode: () => (caught === undefined ? undefined : 128 + constants.signals[caught]),
    [Symbol.dispose]: () => {
      for (const watched of WATCHED) process.off(watched, onSignal);
      // at its exit Node restores the terminal's mode, and aborts with a core dump where there is none any more (nodejs/node#51519)
      if (hungUp) process.kill(process.pid, "SIGHUP");
    },
  };
}
