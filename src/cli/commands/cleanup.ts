import { cleanup, type Leftover, leftovers, PgdittoError } from "../../index.ts";
import { alignColumns, printable } from "../../report/style.ts";
import { formatBytes, plural } from "../../util/format.ts";
import type { CommandContext } from "../command.ts";
import { ask, isInteractive, printError, printOut } from "../terminal.ts";

/** Lists what dead runs left and, confirmed, removes it. */
export async function cleanupCommand(context: CommandContext): Promise<number> {
  const found = await leftovers(context.options);
  const dead = found.filter((leftover) => !leftover.alive);
  if (!context.json) for (const line of describe(found)) printOut(line);
  const go = dead.length > 0 && (await confirmed(context, dead.length));
  const removed = go
    ? await cleanup(dead, {
        ...context.options,
        onEvent: (event) => {
          if (event.type === "cleanup" && !event.removed) printError(`${event.object} could not be removed: ${event.reason}`);
        },
      })
    : 0;
  if (context.json) printOut(JSON.stringify({ type: "cleanup", format: 1, found, removed }));
  else if (go) printOut(`${plural(removed, "leftover")} removed.`);
  if (go && removed < dead.length) return 1;
  return 0;
}

function describe(found: readonly Leftover[]): string[] {
  if (found.length === 0) return ["Nothing was left behind."];
  const rows = found.map((leftover) => [
    printable(leftover.object),
    formatBytes(leftover.bytes),
    leftover.started ?? "?",
    leftover.alive ? "its run lives: it stays" : "left by a dead run",
  ]);
  return alignColumns([["WHAT", "SIZE", "STARTED", ""], ...rows]);
}

async function confirmed(context: CommandContext, count: number): Promise<boolean> {
  if (context.options.yes === true) return true;
  if (context.json) return false;
  if (!isInteractive())
    throw new PgdittoError("not-confirmed", `${plural(count, "leftover")} would be removed.`, {
      hint: "Pass --yes to remove them without a terminal.",
    });
  return /^y(es)?$/i.test((await ask(`Remove ${plural(count, "leftover")} of dead runs? [y/N] `, context.signal)).trim());
}
