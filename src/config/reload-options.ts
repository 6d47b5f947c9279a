import { type OptionSpec, RUN } from "./option-spec.ts";

/** Options of `--mode truncate`. */
export const RELOAD = {
  atomic: {
    type: "boolean",
    flag: "atomic",
    group: "How",
    commands: RUN,
    help: "With --mode truncate: everything in one transaction over one connection; readers see the old rows until it is committed.",
  },
  dropIndexes: {
    type: "boolean",
    flag: "drop-indexes",
    group: "How",
    commands: RUN,
    help: "With --mode truncate: take secondary indexes off while rows come in, and build them again afterwards.",
  },
} as const satisfies Record<string, OptionSpec>;
