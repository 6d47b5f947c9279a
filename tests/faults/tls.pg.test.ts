import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../support/run-cli.ts";
import { server, urlOf } from "../support/servers.ts";

// row 12: servers that nobody may talk to. Those of other names and authorities, and those that want TLS: tests/cli/tls.pg.test.ts

const noOpenssl = spawnSync("openssl", ["version"]).status !== 0;
const PASSWORD = "c4nary-in-clear";
/** What a client says first when it wants TLS (manual, 55.2.10). */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "test-expired-"));
  if (noOpenssl) return;
  for (const made of [
    "req -new -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key -out csr",
    "x509 -req -in csr -signkey key -days -1 -copy_extensions copy -out crt",
  ])
    execFileSync("openssl", made.split(" "), { cwd: folder, stdio: "ignore" });
});
afterAll(async () => await rm(folder, { recursive: true }));

interface FalseServer extends AsyncDisposable {
  port: number;
  /** All that came in clear. */
  clear: Buffer[];
  /** What came behind the handshake, had it been made. */
  secret: Buffer[];
}

/** Answers the wish for TLS, and listens to what it is told. */
async function falseServer(answer: "N" | "S"): Promise<FalseServer> {
  const clear: Buffer[] = [];
  const secret: Buffer[] = [];
  const sockets = new Set<Socket>();
  const pem = answer === "S" ? { key: await readFile(join(folder, "key")), cert: await readFile(join(folder, "crt")) } : {};
  const listener = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.once("data", (bytes: Buffer) => {
      clear.push(bytes);
      socket.write(answer);
      if (answer === "N") socket.on("data", (more: Buffer) => clear.push(more));
      else new TLSSocket(socket, { isServer: true, ...pem }).on("error", () => {}).on("data", (more: Buffer) => secret.push(more));
    });
  });
  await new Promise<void>((resolve) => void listener.listen(0, "127.0.0.1", resolve));
  return {
    port: (listener.address() as { port: number }).port,
    clear,
    secret,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void listener.close(resolve));
    },
  };
}

describe.each([
  ["source", 4],
  ["target", 5],
] as const)("as the %s: exit %i", (side, code) => {
  async function runAgainst(port: number, sslmode: string, env: Record<string, string> = {}): Promise<string> {
    const strange = `postgresql://someone:${PASSWORD}@localhost:${port}/x?sslmode=${sslmode}`;
    const good = urlOf(server(side === "source" ? "target" : "source"), "postgres");
    const urls = side === "source" ? { MAIN_DB_URL: strange, ARCHIVE_DB_URL: good } : { MAIN_DB_URL: good, ARCHIVE_DB_URL: strange };
    const result = await runCli(["--yes"], { env: { ...urls, ...env } });
    expect(result.stdout + result.stderr).not.toContain(PASSWORD);
    expect(result.code, result.stderr).toBe(code);
    expect(result.stderr).toMatch(new RegExp(`Side +: ${side}[^]*Hint +: \\S`));
    return result.stderr;
  }

  test.each(["require", "verify-full"])("it answers N to sslmode=%s: not a word in clear", async (sslmode) => {
    await using n = await falseServer("N");
    await runAgainst(n.port, sslmode, { PGSSLROOTCERT: join(folder, "crt") });
    expect(Buffer.concat(n.clear)).toEqual(SSL_REQUEST);
  });

  test.skipIf(noOpenssl)("its certificate has expired: no password, nor a name", async () => {
    await using expired = await falseServer("S");
    expect(await runAgainst(expired.port, "verify-full", { PGSSLROOTCERT: join(folder, "crt") })).toMatch(/expired/i);
    expect(Buffer.concat(expired.clear)).toEqual(SSL_REQUEST);
    expect(expired.secret).toEqual([]);
  });
});
