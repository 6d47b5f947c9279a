import type { RunOptions } from "../index.ts";
import type { CommandContext } from "./command.ts";
import { openProfile } from "./profile-file.ts";
import { chooseReporter } from "./reporter.ts";
import { askForName, isInteractive } from "./terminal.ts";

/** Runs what tells of itself in events, as the user wants to read them. */
export async function runTold(context: CommandContext, work: (options: RunOptions) => Promise<unknown>): Promise<number> {
  const report = chooseReporter(context.json, context.progress);
  const profile = context.profile === undefined ? undefined : await openProfile(context.profile);
  try {
    await work({
      ...context.options,
      confirm: isInteractive() && !context.json ? (question) => askForName(question, context.signal) : undefined,
      onEvent: (event) => {
        profile?.report(event);
        // the exit code of a signal is the process's business
        const cancelled = event.type === "run:failed" && event.error.code === "cancelled";
        report(cancelled ? { ...event, exitCode: context.exitCode(event.exitCode) } : event);
        if (event.type === "run:failed") context.toldFailure();
      },
    });
  } finally {
    await profile?.save();
  }
  return 0;
}
