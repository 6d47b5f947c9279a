// Runs the fault bench in full (an hour or so), where `npm test` breaks things at a few places only:
//   npm run test:faults                                          every row
//   npm run test:faults -- tests/faults/network -t "row 5"       what follows goes to vitest
//   PGDITTO_FAULTS_SEED=42 npm run test:faults -- tests/faults/values   the random databases of an earlier run
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// tests that have more to do in full
const LONG = ["tests/faults", "tests/cli/advice", "tests/reload/failures", "tests/reload/killed"];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const rest = process.argv.slice(2);
const wanted = rest.some((word) => /^(?!-).*[/\\]/.test(word)) ? rest : [...LONG, ...rest];
const { status } = spawnSync(process.execPath, [join(root, "node_modules", "vitest", "vitest.mjs"), "run", "--project", "pg", ...wanted], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
  env: { ...process.env, PGDITTO_FAULTS: "full" },
});
process.exitCode = status ?? 1;
