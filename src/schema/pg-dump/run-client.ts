import type net from "node:net";

import { PgdittoError } from "../../errors.ts";
import type { ConnectionConfig } from "../../postgres/connection-config.ts";
import { toServerError } from "../../postgres/server-error.ts";
import type { Session } from "../../postgres/session.ts";
import { cancelled, throwIfAborted, withinMs } from "../../util/wait.ts";
import { type Child, startChild } from "./child.ts";
import { addressOf, environment, join, type Link } from "./client-link.ts";
import { dumpError, stuckError } from "./dump-error.ts";
import { LOST_GRACE_MS } from "./dump-run.ts";
import type { ServerReport } from "./error-response.ts";
import { createGateway, type Gateway, leaveGateway } from "./gateway.ts";
import { openGatewayFolder } from "./gateway-folder.ts";
import { createPatience, PATIENCE_MS } from "./patience.ts";
import type { PgDumpProgram } from "./pg-dump-program.ts";
import { isCancelRequest } from "./start-up.ts";
import { knownSettings } from "./unknown-settings.ts";

export interface RunClientOptions {
  /** pg_dump or pg_restore: an installed one. */
  program: PgDumpProgram & { path: string };
  /** Without those that say where to connect. */
  args: readonly string[];
  /** Of the program. With one, nobody gets in behind it: then nothing lies about even if this process is killed. */
  jobs: number;
  /** Whom its errors are about. */
  config: ConnectionConfig;
  /** Opens a session for each connection that the program makes: one, and with several jobs one more for each. */
  connect: () => Promise<Session>;
  signal: AbortSignal;
  /** Told of bytes that pass, in either direction. */
  onBytes: (bytes: number) => void;
}

/**
 * Runs an installed pg_dump or pg_restore that reads or writes files, over as many sessions of ours as it wants.
 * @throws PgdittoError `dump` with the server's or the program's words and SQLSTATE; `cancelled`; what `connect` throws.
 */
export async function runClient(options: RunClientOptions): Promise<void> {
  const { program, args, jobs, config, connect, signal, onBytes } = options;
  throwIfAborted(signal);
  let child: Child | undefined;
  const stop = (): void => void child?.stop();
  using patience = createPatience(PATIENCE_MS, stop);
  const open: Array<{ session: Session; gateway: Gateway }> = [];
  const asked = new Set<Link>(); // those that wait for the server
  const seen: { failure?: unknown; report?: ServerReport | undefined; lost?: { error: Error | undefined } } = {};
  let over = false;

  const turn = (link: Link, of: "server" | "client"): void => {
    if (of === "server") asked.add(link);
    else asked.delete(link);
    if (asked.size === 0) patience.start();
    else patience.stop();
  };

  const serve = async (socket: net.Socket): Promise<void> => {
    const session = await connect();
    // who has asked for it may be gone by then, and so may all that would close it
    if (over || socket.destroyed) return await session[Symbol.asyncDispose]();
    const link: Link = { local: undefined, gone: false };
    const gateway = createGateway(session, {
      toClient: (bytes) => {
        onBytes(bytes.length);
        // of several jobs the first one's words count: the others are only told to stop
        seen.report ??= gateway.report;
        return link.local?.write(bytes) ?? true;
      },
      clientsTurn: () => turn(link, "client"),
      serversTurn: () => turn(link, "server"),
      drained: () => link.local?.resume(),
    });
    open.push({ session, gateway });
    void gateway.ended.then(async (error) => {
      if (!gateway.farewell && !over) seen.lost ??= { error };
      turn(link, "client");
      link.gone = true;
      link.local?.end();
      if (!gateway.farewell && child && (await withinMs(LOST_GRACE_MS, child.ended)) === undefined) stop();
    });
    socket.on("data", (bytes: Buffer) => onBytes(bytes.length));
    const known = knownSettings(session.serverVersion);
    join(link, socket, { fromClient: (bytes) => gateway.fromClient(known(bytes)), resume: gateway.resume });
    socket.resume();
  };

  await using door = await openGatewayFolder(
    (socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (first: Buffer) => {
        socket.pause();
        // whoever is to be stopped is stopped by us
        if (over || isCancelRequest(first)) return void socket.destroy();
        socket.unshift(first);
        serve(socket).catch((error: unknown) => {
          seen.failure ??= error;
          socket.destroy();
        });
      });
    },
    jobs > 1 ? "many" : "one",
  );

  signal.addEventListener("abort", stop, { once: true });
  try {
    patience.start();
    child = startChild({
      file: program.path,
      args: ["--no-password", `--dbname=${addressOf(door, config)}`, ...args],
      env: environment(program.path, door.folder),
      onActivity: patience.renew,
    });
    if (signal.aborted) stop();
    const end = await child.ended;
    over = true;
    if (signal.aborted) throw cancelled(signal);
    if (patience.expired) throw stuckError(program, config, end.lines);
    if (end.ok) return;
    if (seen.failure !== undefined) throw seen.failure;
    // the server's last words travel on another socket than the news of the program's end
    if (/connection|server closed/.test(end.lines.join())) await withinMs(500, Promise.all(open.map(({ gateway }) => gateway.ended)));
    throw dumpError({ program, config, how: end.how, lines: end.lines, report: seen.report, lost: seen.lost });
  } catch (error) {
    throw error instanceof PgdittoError ? error : toServerError(error, config.side, {}, "dump");
  } finally {
    over = true;
    signal.removeEventListener("abort", stop);
    await Promise.all(open.map(({ gateway, session }) => leaveGateway(gateway, session).finally(() => session[Symbol.asyncDispose]())));
  }
}
