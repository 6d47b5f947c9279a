import { type OptionSpec, RUN } from "./option-spec.ts";

/** Options that keep a run from taking more than it is given. None is set by default. */
export const LIMITS = {
  maxTargetSize: {
    type: "size",
    flag: "max-target-size",
    placeholder: "SIZE",
    group: "Limits",
    commands: [...RUN, "import"],
    help: "The staging database may not become larger than this (200GB); looked at before and while it is filled.",
  },
  rateLimit: {
    type: "size",
    flag: "rate-limit",
    placeholder: "SIZE",
    group: "Limits",
    commands: RUN,
    help: "Bytes a second that all copies together may read from the source (50MB).",
  },
  maxReplicationLag: {
    type: "size",
    flag: "max-replication-lag",
    placeholder: "SIZE",
    group: "Limits",
    commands: RUN,
    help: "Pause while a standby of either server, or a source that is one, is behind by more WAL than this (512MB).",
  },
  maxSourceConnections: {
    type: "count",
    flag: "max-source-connections",
    placeholder: "N",
    min: 2,
    max: 10_000,
    group: "Limits",
    commands: [...RUN, "export"],
    help: "Never more connections to the source than this, of all kinds; fewer jobs where need be.",
  },
} as const satisfies Record<string, OptionSpec>;
