import os from "node:os";

/** What a reader must know to read the numbers, as lines. */
export function describeMachine({ servers, pgcopydb, options }) {
  const programs = [
    `Node ${process.version}`,
    `PostgreSQL ${servers.version}`,
    ...(pgcopydb === undefined ? [] : [`pgcopydb ${pgcopydb.version}`]),
  ];
  const settings = Object.entries(servers.settings).map(([name, value]) => `${name}=${value}`);
  return [
    `${os.cpus().length} × ${os.cpus()[0]?.model ?? "?"}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${programs.join(", ")}, ${new Date().toISOString().slice(0, 10)}`,
    `settings: ${settings.join(" ")}; scale ${options.scale}, ${options.runs} runs, interleaved`,
  ];
}
