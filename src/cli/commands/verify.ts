import { verify, type VerifyResult } from "../../index.ts";
import { differenceLines } from "../../report/error-details.ts";
import { plural } from "../../util/format.ts";
import type { CommandContext } from "../command.ts";
import { chooseReporter } from "../reporter.ts";
import { printOut, printWarnings } from "../terminal.ts";

/** Differences that people are shown. */
const SHOWN = 20;

/** Compares the databases as they are: exit code 0 when they are the same, 3 when not. */
export async function verifyCommand(context: CommandContext): Promise<number> {
  const result = await verify({ ...context.options, onEvent: context.json ? printWarnings : chooseReporter(false, context.progress) });
  if (context.json) printOut(JSON.stringify({ type: "verify", format: 1, ...result }));
  else {
    printOut(`Compared: ${describe(result)}`);
    if (result.equal) printOut(context.paint("green", "The databases are the same."));
    else {
      printOut(context.paint("red", `The databases differ in ${plural(result.differences.length, "place")}:`));
      for (const line of differenceLines(result.differences, context.paint, SHOWN)) printOut(line);
    }
  }
  return result.equal ? 0 : 3;
}

function describe({ tables, rows, verify: how, objects, sequences, largeObjects }: VerifyResult): string {
  const content = how === "checksum" ? "by checksum" : "by number";
  return `${plural(objects, "object")} of the schema, ${plural(rows, "row")} of ${plural(tables, "table")} ${content}, ${plural(sequences, "sequence")}, ${plural(largeObjects, "large object")}`;
}
