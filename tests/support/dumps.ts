import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNative } from "../../src/schema/pg-dump/find-pg-dump.ts";
import { server } from "./servers.ts";

export const NO_PROGRAMS = "no pg_dump and pg_restore are installed that suit the source's server";

/** Whether a dump folder can be made of the source at all: that takes installed programs. */
export async function hasPrograms(): Promise<boolean> {
  const found = await findNative({ choice: "native", pathEnv: process.env["PATH"], platform: process.platform });
  return found.some(({ version }) => Math.floor(version / 10_000) >= server("source").major);
}

/** An empty folder to make dump folders in; disposal removes it. */
export async function dumpPlace(): Promise<{ path: string; names: () => Promise<string[]> } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "test-dumps-"));
  return {
    path,
    names: () => readdir(path),
    async [Symbol.asyncDispose]() {
      await chmod(path, 0o700);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** The manifest, as any program would read it. */
export async function manifestOf(folder: string): Promise<{ format: number; sha256: string; contents: Record<string, unknown> }> {
  return JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as never;
}
