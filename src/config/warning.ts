import type { Side } from "../errors.ts";

/** Something worth knowing that does not stop the run. */
export interface ConfigWarning {
  /** A short stable word, for programs: `default-password`, `pgpass-permissions` … */
  code: string;
  message: string;
  hint?: string | undefined;
  /** The end concerned; undefined when it is both. `cleanup`, for one, has no use for what concerns the source. */
  side?: Side | undefined;
}

export type Warn = (code: string, message: string, hint?: string) => void;

/** A list that a warning enters once, although both ends may read the same file. */
export function collectWarnings(): { warnings: ConfigWarning[]; warnOf: (side: Side) => Warn } {
  const warnings: ConfigWarning[] = [];
  const warnOf =
    (side: Side): Warn =>
    (code, message, hint) => {
      const known = warnings.find((warning) => warning.code === code && warning.message === message);
      if (known === undefined) warnings.push({ code, message, hint, side });
      else if (known.side !== side) known.side = undefined;
    };
  return { warnings, warnOf };
}
