import { plan } from "../../index.ts";
import { renderPlan } from "../../plan/render-plan.ts";
import { obstacleLines } from "../../report/error-details.ts";
import { renderTakenOff } from "../../report/taken-off.ts";
import { renderOffer } from "../../sync/template-offer.ts";
import type { CommandContext } from "../command.ts";
import { printOut, printWarnings } from "../terminal.ts";

export async function planCommand(context: CommandContext): Promise<number> {
  const made = await plan({ ...context.options, onEvent: printWarnings });
  if (context.json) {
    printOut(JSON.stringify({ type: "plan", format: 1, ...made }));
    return made.obstacles.length === 0 ? 0 : 6;
  }
  for (const line of renderPlan(made)) printOut(line);
  if (made.pgDump !== "") printOut(`Schema: read with ${made.pgDump}`);
  printOut(`Replaces: ${made.replaces}`);
  for (const line of renderTakenOff(made.takenOff)) printOut(line);
  if (made.template) printOut(renderOffer(made.template));
  if (made.obstacles.length === 0) return 0;
  printOut("");
  printOut(context.paint("red", "A sync would be refused:"));
  for (const line of obstacleLines(made.obstacles, context.paint)) printOut(line);
  return 6;
}
