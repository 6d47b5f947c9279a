// Installs what is missing and, with --build, compiles src/ to dist/. Straight after `git clone` nothing else is needed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`pgditto needs Node.js 20.19 or newer; this is ${process.versions.node}. See https://nodejs.org/`);
}

const lock = readFileSync(join(root, "package-lock.json"), "utf8");
const stamp = join(root, "node_modules", ".pgditto-lock");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  console.error("Installing dependencies (npm install) ...");
  // not `npm ci`: npm 10 and 11 leave other platforms' optional packages out of the lock file, and `ci` then refuses it
  run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(stamp, lock);
}
if (process.argv.includes("--build")) {
  // built beside the old one, so that a mistake in the source does not cost the build that runs
  const built = join(root, "node_modules", ".pgditto-dist");
  const old = join(root, "node_modules", ".pgditto-old");
  for (const folder of [built, old]) rmSync(folder, { recursive: true, force: true });
  run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json", "--outDir", built]);
  await bundleCommandLine(join(built, "cli"));
  if (existsSync(join(root, "dist"))) renameSync(join(root, "dist"), old);
  renameSync(built, join(root, "dist"));
  rmSync(old, { recursive: true, force: true });
}

/** The command line as one file: to find and load its 400 modules took 0.15 s of each run. What it depends on stays where it is. */
async function bundleCommandLine(folder) {
  // not before it is installed
  const { build } = await import("rolldown");
  const bundle = join(folder, "bundle.js");
  await build({ input: join(folder, "main.js"), platform: "node", external: /^[^./]/, output: { file: bundle }, logLevel: "warn" });
  const main = readFileSync(bundle, "utf8");
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  writeFileSync(join(folder, "main.js"), main, { mode: 0o755 });
}

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], shell: process.platform === "win32" });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) fail(`${command} ${args.join(" ")} failed with exit code ${result.status}`);
}

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}
