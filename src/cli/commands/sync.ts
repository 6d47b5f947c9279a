import { sync } from "../../index.ts";
import type { CommandContext } from "../command.ts";
import { chooseReporter } from "../reporter.ts";
import { askForName, isInteractive } from "../terminal.ts";

export async function syncCommand(context: CommandContext): Promise<number> {
  const report = chooseReporter(context.json);
  await sync({
    ...context.options,
    confirm: isInteractive() && !context.json ? (question) => askForName(question, context.signal) : undefined,
    onEvent: (event) => {
      // the exit code of a signal is the process's business
      report(
        event.type === "run:failed" && event.error.code === "cancelled" ? { ...event, exitCode: context.exitCode(event.exitCode) } : event,
      );
      if (event.type === "run:failed") context.toldFailure();
    },
  });
  return 0;
}
