import { PgdittoError } from "../errors.ts";
import type { OptionSpec } from "./option-spec.ts";
import { SELECTION, type Selection, SELECTION_KEYS } from "./selection-options.ts";

/** The options in use that leave something out, or give it to somebody else, as their flags. */
export function leavingOut(config: Selection): string[] {
  return SELECTION_KEYS.filter((key) => {
    const value = config[key];
    return typeof value === "boolean" ? value : value.length > 0;
  }).map((key) => {
    const { flag, env }: OptionSpec = SELECTION[key];
    return `--${flag}${env === undefined ? "" : ` (${env})`}`;
  });
}

/** `template` copies files, whole and at once: there is nothing that it could leave out, or go on with. @throws PgdittoError `usage` naming the flags. */
export function refuseHalfTemplate(config: Selection & { strategy: string; resume: boolean }): void {
  const others = [...leavingOut(config), ...(config.resume ? ["--resume"] : [])];
  if (config.strategy !== "template" || others.length === 0) return;
  throw new PgdittoError(
    "usage",
    `--strategy template and ${others.join(", ")} contradict each other: it copies the whole database as it is, in one step.`,
    {
      object: "--strategy",
      hint: `Leave out ${others.join(", ")}, or --strategy template.`,
    },
  );
}
