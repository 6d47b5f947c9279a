import { randomBytes } from "node:crypto";
import { lstat, open, rename, rm } from "node:fs/promises";

import { refuse } from "../config/origin.ts";
import { errnoOf } from "../config/read-file.ts";
import type { SyncEvent } from "../index.ts";
import { traceReporter } from "../report/trace.ts";
import { printError } from "./terminal.ts";

export interface Profile {
  report: (event: SyncEvent) => void;
  /** Writes what was seen; a failure is told and is no failure of the run. Without any event nothing is written. */
  save: () => Promise<void>;
}

/**
 * A timeline that is written to a file at the end of a run, whatever the end.
 * @throws PgdittoError `usage` when the file could not be written; so it is known before the run begins.
 */
export async function openProfile(path: string): Promise<Profile> {
  const objection = await findObjection(path);
  if (objection !== undefined) {
    throw refuse({ code: "usage", name: "--profile" }, `${path} ${objection}.`, "Name a file in a folder that you may write to.");
  }
  const { report, trace } = traceReporter();
  let seen = false;
  return {
    report: (event) => {
      seen = true;
      report(event);
    },
    save: async () => {
      if (!seen) return;
      try {
        await replaceFile(path, JSON.stringify(trace()));
      } catch (error) {
        printError(`The profile ${path} could not be written (${errnoOf(error)}). The run itself is not concerned.`);
      }
    },
  };
}

async function findObjection(path: string): Promise<string | undefined> {
  try {
    const there = await lstat(path).catch((error: unknown) => {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    });
    if (there?.isDirectory()) return "is a folder";
    // a device or a link would be replaced by the file
    if (there && !there.isFile()) return "is not a plain file";
    const temporary = temporaryName(path);
    await (await open(temporary, "wx", 0o600)).close();
    await rm(temporary);
    return undefined;
  } catch (error) {
    const errno = errnoOf(error);
    return errno === "ENOENT" ? "cannot be written: its folder does not exist" : `cannot be written (${errno})`;
  }
}

/** All of it or nothing, for its owner alone: the names of tables may be nobody else's business. */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

function temporaryName(path: string): string {
  return `${path}.${randomBytes(4).toString("hex")}.tmp`;
}
