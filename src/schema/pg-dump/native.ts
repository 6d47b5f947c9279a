import { asPgdittoError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { cancelled, withinMs } from "../../util/wait.ts";
import { type Child, type ChildEnd, startChild } from "./child.ts";
import { addressOf, environment, join, type Link } from "./client-link.ts";
import { dumpError, notUtf8Error, stuckError } from "./dump-error.ts";
import { type DumpRun, LOST_GRACE_MS } from "./dump-run.ts";
import { createGateway, leaveGateway } from "./gateway.ts";
import { openGatewayFolder } from "./gateway-folder.ts";
import { createPatience } from "./patience.ts";
import type { PgDumpProgram } from "./pg-dump-program.ts";

/** Runs an installed pg_dump over a session of ours, through a socket that nobody else can reach. */
export async function runNative(session: Session, file: string, { program, args, signal, patienceMs }: DumpRun): Promise<string> {
  let child: Child | undefined;
  const stop = (): void => void child?.stop();
  using patience = createPatience(patienceMs, stop);
  const link: Link = { local: undefined, gone: false };
  const gateway = createGateway(session, {
    toClient: (bytes) => link.local?.write(bytes) ?? true,
    clientsTurn: patience.start,
    serversTurn: patience.stop,
    drained: () => link.local?.resume(),
  });
  await using door = await openGatewayFolder((socket) => join(link, socket, gateway));
  let lost: { error: Error | undefined } | undefined;
  signal?.addEventListener("abort", stop, { once: true });
  try {
    patience.start();
    child = startChild({
      file,
      args: [...args, "--no-password", `--dbname=${addressOf(door, session.config)}`],
      env: environment(file, door.folder),
      onActivity: patience.renew,
    });
    const running = child.ended;
    void gateway.ended.then(async (error) => {
      if (!gateway.farewell) lost = { error };
      link.gone = true;
      link.local?.end();
      if ((await withinMs(LOST_GRACE_MS, running)) === undefined) stop();
    });
    if (signal?.aborted) stop();
    const end = await running;
    if (signal?.aborted) throw cancelled(signal);
    if (patience.expired) throw stuckError(program, session.config, end.lines);
    if (!end.ok) {
      // The server's last words travel on another socket than the news of pg_dump's end.
      if (/connection|server closed/.test(end.lines.join())) await withinMs(500, gateway.ended);
      throw dumpError({ program, config: session.config, how: end.how, lines: end.lines, report: gateway.report, lost });
    }
    return decode(end, program, session);
  } finally {
    signal?.removeEventListener("abort", stop);
    await leaveGateway(gateway, session);
  }
}

function decode(end: ChildEnd, program: PgDumpProgram, { config }: Session): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(end.stdout));
  } catch (error) {
    if (error instanceof TypeError) throw notUtf8Error(program, config);
    throw asPgdittoError(error);
  }
}
