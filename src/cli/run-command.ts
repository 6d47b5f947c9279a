import { asPgdittoError } from "../errors.ts";
import { EVENT_FORMAT, VERSION } from "../index.ts";
import { errorDetails } from "../report/error-details.ts";
import { painter } from "../report/style.ts";
import { summarizeError } from "../sync/summarize-error.ts";
import { type ParsedArgv, parseArgv } from "./argv.ts";
import type { CommandContext } from "./command.ts";
import { cleanupCommand } from "./commands/cleanup.ts";
import { constraintsCommand } from "./commands/constraints.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { exportCommand } from "./commands/export.ts";
import { importCommand } from "./commands/import.ts";
import { planCommand } from "./commands/plan.ts";
import { repairCommand } from "./commands/repair.ts";
import { syncCommand } from "./commands/sync.ts";
import { verifyCommand } from "./commands/verify.ts";
import { helpText } from "./help.ts";
import { chooseProgress, openProgress } from "./progress.ts";
import { watchSignals } from "./signals.ts";
import { printError, printOut, wantsColours } from "./terminal.ts";

const COMMANDS: Readonly<Record<ParsedArgv["command"], (context: CommandContext) => Promise<number>>> = {
  sync: syncCommand,
  plan: planCommand,
  verify: verifyCommand,
  doctor: doctorCommand,
  export: exportCommand,
  import: importCommand,
  cleanup: cleanupCommand,
  constraints: constraintsCommand,
  repair: repairCommand,
  demo: demoCommand,
};

/** Runs the command line; resolves with the exit code. */
export async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  using signals = watchSignals();
  const paint = painter(wantsColours());
  let json = argv.includes("--json");
  let told = false;
  try {
    const parsed = parseArgv(argv);
    if (parsed.help) {
      process.stdout.write(helpText(parsed.commandGiven ? parsed.command : undefined));
      return 0;
    }
    if (parsed.version) {
      printOut(`pgditto ${VERSION}`);
      return 0;
    }
    json = parsed.flags.json === true;
    const { json: _json, keep, profile, progress: asked, ...flags } = parsed.flags;
    using progress = openProgress(chooseProgress(asked, { json, terminal: process.stdout.isTTY, env: process.env }));
    const watchBuilds = json || progress.report !== undefined;
    const options = { watchBuilds, ...flags, env: process.env, cwd: process.cwd(), signal: signals.signal };
    return await COMMANDS[parsed.command]({
      options,
      word: parsed.word ?? "",
      json,
      progress,
      keep: keep === true,
      profile,
      paint,
      signal: signals.signal,
      exitCode: (otherwise) => signals.exitCode() ?? otherwise,
      toldFailure: () => {
        told = true;
      },
    });
  } catch (error) {
    const failure = asPgdittoError(error);
    const exitCode = (failure.code === "cancelled" ? signals.exitCode() : undefined) ?? failure.exitCode;
    if (told) return exitCode;
    const { obstacles, differences } = failure;
    const summary = summarizeError(failure);
    if (json)
      printOut(
        JSON.stringify({
          type: "run:failed",
          format: EVENT_FORMAT,
          version: VERSION,
          time: new Date().toISOString(),
          error: summary,
          exitCode,
          obstacles,
          differences,
        }),
      );
    else
      for (const line of errorDetails({ error: summary, exitCode, obstacles, differences }, painter(wantsColours(process.stderr))))
        printError(line);
    return exitCode;
  }
}
