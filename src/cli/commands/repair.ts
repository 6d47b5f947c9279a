import { repair } from "../../index.ts";
import { plural } from "../../util/format.ts";
import type { CommandContext } from "../command.ts";
import { chooseReporter } from "../reporter.ts";
import { printOut, printWarnings } from "../terminal.ts";

/** Exit code 0: nothing that a dead reload took off is off any more. */
export async function repairCommand({ options, json, paint }: CommandContext): Promise<number> {
  const result = await repair({ ...options, onEvent: json ? printWarnings : chooseReporter(false) });
  const { back, alive, dropped } = result;
  if (json) {
    printOut(JSON.stringify({ type: "repair", format: 1, ...result }));
    return 0;
  }
  const runs = [...new Set(back.map(({ run }) => run))];
  if (back.length > 0) printOut(paint("green", `${plural(back.length, "thing")} put back that ${runs.join(", ")} had taken off.`));
  else if (alive.length === 0) printOut("Nothing to repair.");
  if (alive.length > 0) printOut(`Left alone, because the run lives: what ${alive.join(", ")} has taken off.`);
  if (dropped > 0)
    printOut(`Off because of \`pgditto constraints drop\`: ${plural(dropped, "constraint")}. \`pgditto constraints restore\` puts back.`);
  return 0;
}
