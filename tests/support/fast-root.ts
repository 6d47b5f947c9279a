import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const MEMORY = "/dev/shm";
/** Bytes that the tests' servers may need at once. */
const NEEDED = 8 * 1024 ** 3;

/**
 * Where the run's servers and files lie: in memory where there is room, because CREATE and DROP DATABASE make and remove hundreds of files
 * each (half of the servers' CPU time on a disk). TMPDIR is obeyed.
 */
export async function fastRoot(): Promise<string> {
  const { TMPDIR } = process.env;
  if (TMPDIR !== undefined && TMPDIR !== "") return tmpdir();
  return (await hasRoom()) && (await canRunPrograms()) ? MEMORY : tmpdir();
}

async function hasRoom(): Promise<boolean> {
  const facts = await statfs(MEMORY).catch(() => undefined);
  return facts !== undefined && facts.bavail * facts.bsize >= NEEDED && freemem() >= NEEDED;
}

/** Some tests run scripts of their own; containers mount it noexec. */
async function canRunPrograms(): Promise<boolean> {
  try {
    const folder = await mkdtemp(join(MEMORY, "run-of-pgditto-"));
    try {
      const script = join(folder, "probe");
      await writeFile(script, "#!/bin/sh\n");
      await chmod(script, 0o700);
      await promisify(execFile)(script);
      return true;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } catch {
    return false;
  }
}
