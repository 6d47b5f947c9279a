import { exportDump } from "../../index.ts";
import type { CommandContext } from "../command.ts";
import { runTold } from "../run-told.ts";

export async function exportCommand(context: CommandContext): Promise<number> {
  return await runTold(context, (options) => exportDump(context.word, options));
}
