import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { until } from "./cli-run.ts";

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Why tests of a real terminal cannot run here; undefined where they can. */
export const noTerminal: string | undefined =
  spawnSync("tmux", ["-V"]).status === 0 ? undefined : "tmux is not installed, so there is no terminal to try prompts and colours in";

export interface TerminalRun extends AsyncDisposable {
  /** What the screen and its history show, without colours. */
  screen: () => Promise<string>;
  /** The same with the escape sequences of its colours. */
  colours: () => Promise<string>;
  /** tmux's key names (`Enter`, `C-c`) or text. */
  type: (...keys: string[]) => Promise<void>;
  waitFor: (pattern: RegExp) => Promise<void>;
  /** Of the window, in the middle of the run: text is broken anew, as in most terminals. */
  resize: (columns: number, rows: number) => Promise<void>;
  /** Whether the cursor is seen, and lines that are too long are broken. */
  modes: () => Promise<{ cursor: boolean; wrap: boolean }>;
  /** Closes the window, as somebody does who does not look what runs in it. */
  close: () => Promise<void>;
  /** The exit code, once the command has ended. */
  exitCode: () => Promise<number>;
}

/** Runs the built command line in a terminal of its own. */
export async function runInTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { columns = 220, rows = 60 } = {},
): Promise<TerminalRun> {
  const folder = await mkdtemp(join(tmpdir(), "test-tmux-"));
  const own = { PATH: process.env["PATH"] ?? "", HOME: folder, TMPDIR: tmpdir(), TERM: "xterm-256color", LANG: "C.UTF-8" };
  const tmux = async (...words: string[]): Promise<string> =>
    (await run("tmux", ["-S", join(folder, "socket"), "-f", "/dev/null", ...words], { env: own })).stdout;
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const settings = Object.entries({ ...own, ...env }).map(([name, value]) => quoted(`${name}=${value}`));
  const command = ["env", "-i", ...settings, "TERM=tmux-256color", process.execPath, MAIN, ...args.map(quoted)].join(" ");
  // tmux 3.3 now and then misses the end of a command, so the shell writes the exit code down; and a pane whose command has ended tells
  // nothing of its cursor, so something goes on that ends with the terminal
  const codeFile = join(folder, "exit-code");
  // The pane stays when its command has ended, for its text and exit code.
  await tmux("new-session", "-d", "-x", String(columns), "-y", String(rows), "sleep 60", ";", "set-option", "-g", "remain-on-exit", "on");
  await tmux("set-option", "-g", "history-limit", "5000");
  await tmux("new-window", "-n", "run", "-c", folder, `trap : INT HUP; ${command}; echo $? > ${codeFile}; exec cat > /dev/null`);
  const screen = () => tmux("capture-pane", "-p", "-J", "-S", "-", "-t", "run");
  return {
    screen,
    colours: () => tmux("capture-pane", "-p", "-e", "-J", "-S", "-", "-t", "run"),
    type: async (...keys) => {
      await tmux("send-keys", "-t", "run", ...keys);
    },
    waitFor: async (pattern) => {
      await until(async () => pattern.test(await screen())).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${await screen()}`);
      });
    },
    resize: async (width, height) => {
      await tmux("resize-window", "-t", "run", "-x", String(width), "-y", String(height));
    },
    modes: async () => {
      const [cursor, wrap] = (await tmux("display-message", "-p", "-t", "run", "#{cursor_flag} #{wrap_flag}")).trim().split(" ");
      return { cursor: cursor === "1", wrap: wrap === "1" };
    },
    close: async () => {
      await tmux("kill-window", "-t", "run");
    },
    exitCode: async () => {
      const code = await until(async () => /^\d+/.exec(await readFile(codeFile, "utf8").catch(() => "")));
      return Number(code[0]);
    },
    async [Symbol.asyncDispose]() {
      await tmux("kill-server").catch(() => "");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
