import { spawnSync } from "node:child_process";

/** What the others here leave out too, or pgditto does as well. Old versions know none of them. */
const FASTER = ["--skip-vacuum", "--skip-analyze", "--use-copy-binary"];
const SPLIT = "--split-tables-larger-than";

/** pgcopydb as it comes and with what its version has to be faster; each also with large tables cut into parts. */
export function pgcopydbs({ source, target, pgcopydb }) {
  if (pgcopydb === undefined) return [];
  const known = FASTER.filter((flag) => pgcopydb.help.includes(flag));
  const faster = known.map((flag) => ` ${flag}`).join("");
  // two of each are up to four COPYs and index builds at the same time, as many as pgditto's four jobs
  const contender = (flags) => ({
    name: `pgcopydb${flags}`,
    kind: "copy",
    intoEmpty: true,
    command: `'${pgcopydb.path}' clone --source '${source}' --target '${target}' --dir "$PWD/pgcopydb" --table-jobs 2 --index-jobs 2${flags}`,
  });
  const split = pgcopydb.help.includes(SPLIT) ? ["", ` ${SPLIT} 256MB`] : [""];
  return (faster === "" ? [""] : ["", faster]).flatMap((flags) => split.map((cut) => contender(flags + cut)));
}

/** The program with its help, which says what flags its version has; undefined where there is none. */
export function findPgcopydb(env) {
  const path = env.PGCOPYDB ?? "pgcopydb";
  const asked = (...args) => {
    const { error, status, stdout, stderr } = spawnSync(path, args, { encoding: "utf8" });
    return error !== undefined || status === null ? undefined : stdout + stderr;
  };
  const version = /pgcopydb version (\S+)/.exec(asked("--version") ?? "")?.[1];
  if (version === undefined) {
    if (env.PGCOPYDB !== undefined) throw new Error(`PGCOPYDB=${path} does not run`);
    return undefined;
  }
  return { path, version, help: asked("clone", "--help") ?? "" };
}
