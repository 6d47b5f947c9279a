import { sync } from "../../index.ts";
import type { CommandContext } from "../command.ts";
import { runTold } from "../run-told.ts";

export async function syncCommand(context: CommandContext): Promise<number> {
  return await runTold(context, sync);
}
