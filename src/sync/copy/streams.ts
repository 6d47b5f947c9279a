import type { Run } from "../run.ts";

/**
 * How many COPYs of one table pay at a time. Each keeps a core of the source and one of the target busy; where both servers share this
 * machine, and its cores are few, a second one only takes turns with the first, and the table loses its FREEZE for nothing (measured on
 * two cores: 1 GB in 6.3 s instead of 5.0). Other machines' cores cannot be seen: there the user's number of connections is believed.
 */
export function usefulStreams({ config, machine }: Pick<Run, "config" | "machine">): number {
  const workers = config.jobs * config.batchSize;
  const here = isLocal(config.source.host, machine.hostname) && isLocal(config.target.host, machine.hostname);
  return here ? Math.max(1, Math.min(workers, Math.floor(machine.cores / 2))) : workers;
}

export function isLocal(host: string, hostname: string): boolean {
  return host.startsWith("/") || host.startsWith("127.") || ["localhost", "::1", hostname].includes(host);
}
