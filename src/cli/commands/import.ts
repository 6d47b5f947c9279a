import { importDump } from "../../index.ts";
import type { CommandContext } from "../command.ts";
import { runTold } from "../run-told.ts";

export async function importCommand(context: CommandContext): Promise<number> {
  return await runTold(context, (options) => importDump(context.word, options));
}
