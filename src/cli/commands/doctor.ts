import { doctor } from "../../index.ts";
import { obstacleLines } from "../../report/error-details.ts";
import { plural } from "../../util/format.ts";
import type { CommandContext } from "../command.ts";
import { printOut, printWarnings } from "../terminal.ts";

export async function doctorCommand(context: CommandContext): Promise<number> {
  const diagnosis = await doctor({ ...context.options, onEvent: printWarnings });
  const { obstacles } = diagnosis;
  if (context.json) printOut(JSON.stringify({ type: "doctor", format: 1, ...diagnosis }));
  else {
    printOut(`Source: PostgreSQL ${diagnosis.source}`);
    printOut(`Target: PostgreSQL ${diagnosis.target}`);
    printOut(`Replaces: ${diagnosis.replaces}`);
    printOut(
      obstacles.length === 0
        ? context.paint("green", "No obstacles: sync can run.")
        : context.paint("red", `${plural(obstacles.length, "obstacle")}:`),
    );
    for (const line of obstacleLines(obstacles, context.paint)) printOut(line);
  }
  return obstacles.length === 0 ? 0 : 6;
}
