import { dropConstraints, type LedgerEntry, listConstraints, restoreConstraints, type RunOptions } from "../../index.ts";
import { displayName } from "../../postgres/quote.ts";
import { alignColumns, printable } from "../../report/style.ts";
import { plural } from "../../util/format.ts";
import type { CommandContext } from "../command.ts";
import { chooseReporter } from "../reporter.ts";
import { printOut, printWarnings } from "../terminal.ts";

/** `drop`, `restore` or `list`: exit code 0, whether there was something to do or not. */
export async function constraintsCommand(context: CommandContext): Promise<number> {
  if (context.word === "drop") await drop(context);
  else if (context.word === "restore") await restore(context);
  else await list(context);
  return 0;
}

async function drop(context: CommandContext): Promise<void> {
  const result = await dropConstraints(told(context));
  const { constraints, dryRun, script, saved, offBefore } = result;
  if (context.json) return printJson({ action: "drop", ...result });
  const before = offBefore === 0 ? "" : ` ${plural(offBefore, "constraint")} ${are(offBefore)} off already: pgditto constraints list.`;
  if (constraints.length === 0) return printOut(`Nothing to take off.${before}`);
  if (dryRun) {
    printOut(
      `-- Takes ${plural(constraints.length, "constraint")} off (${countKinds(constraints)}), each in one transaction with its row in the ledger:`,
    );
    for (const { takeOff } of constraints) printOut(`${takeOff};`);
    printOut(`\n${script.trimEnd()}`);
    return;
  }
  printOut(`${plural(constraints.length, "constraint")} ${are(constraints.length)} off: ${countKinds(constraints)}.${before}`);
  if (saved !== undefined) printOut(`The SQL that puts them back: ${saved}`);
  printOut("pgditto constraints restore puts them back.");
}

async function restore(context: CommandContext): Promise<void> {
  const result = await restoreConstraints(told(context));
  const { constraints, dryRun, script, stillOff, ofReloads } = result;
  if (context.json) return printJson({ action: "restore", ...result });
  if (dryRun && constraints.length > 0) printOut(script.trimEnd());
  else if (constraints.length > 0)
    printOut(
      context.paint("green", `${plural(constraints.length, "constraint")} ${are(constraints.length)} back: ${countKinds(constraints)}.`),
    );
  else if (stillOff === 0) printOut("Nothing is off.");
  if (!dryRun && stillOff > 0) printOut(`${plural(stillOff, "constraint")} ${are(stillOff)} still off: not selected.`);
  if (!dryRun && ofReloads > 0) printOut(`${plural(ofReloads, "thing")} ${are(ofReloads)} off because of a reload: pgditto repair.`);
}

async function list(context: CommandContext): Promise<void> {
  const result = await listConstraints(told(context));
  if (context.json) return printJson({ action: "list", ...result });
  if (result.off.length > 0) for (const line of alignColumns([HEAD, ...result.off.map(columnsOf)])) printOut(line);
  else if (result.notSelected === 0) printOut("Nothing is off.");
  if (result.notSelected > 0)
    printOut(
      `${result.off.length === 0 ? "None of those selected is off; " : ""}${result.notSelected} more ${are(result.notSelected)} off: not selected.`,
    );
}

const HEAD = ["KIND", "TABLE", "NAME", "STATE", "SINCE", "RUN", "BY"];

function columnsOf({ kind, schema, table, name, state, taken, run, purpose, elsewhere }: LedgerEntry): string[] {
  const by = purpose === "reload" ? "a reload" : "constraints drop";
  const from = elsewhere === undefined ? by : `${by}, in the database ${elsewhere}`;
  return [kind, displayName(schema, table), name, state === "off" ? "off" : "not valid", taken, run, from].map(printable);
}

/** `5 foreign-key, 1 check`. */
function countKinds(constraints: ReadonlyArray<{ kind: string }>): string {
  const kinds = [...new Set(constraints.map(({ kind }) => kind))];
  return kinds.map((kind) => `${constraints.filter((one) => one.kind === kind).length} ${kind}`).join(", ");
}

function are(n: number): string {
  return n === 1 ? "is" : "are";
}

/** With JSON the result alone is on standard output. */
function told({ options, json }: CommandContext): RunOptions {
  return { ...options, onEvent: json ? printWarnings : chooseReporter(false) };
}

function printJson(result: object): void {
  printOut(JSON.stringify({ type: "constraints", format: 1, ...result }));
}
