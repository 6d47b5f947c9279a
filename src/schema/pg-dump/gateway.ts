import type { Session } from "../../postgres/session.ts";
import { withinMs } from "../../util/wait.ts";
import { parseErrorResponse, type ServerReport } from "./error-response.ts";
import { createMessageWalker } from "./message-walker.ts";
import { answerStartUp } from "./start-up.ts";

export interface GatewayClient {
  /** Bytes for pg_dump. False: pause until `resume`. */
  toClient: (bytes: Buffer) => boolean;
  /** The server has said all it had to say, and waits for pg_dump. */
  clientsTurn: () => void;
  /** pg_dump asked for something. */
  serversTurn: () => void;
  /** The server takes bytes again, after `fromClient` answered false. */
  drained: () => void;
}

export interface Gateway {
  /** Bytes from pg_dump. False: pause until `drained`. */
  fromClient: (bytes: Buffer) => boolean;
  /** pg_dump takes bytes again. */
  resume: () => void;
  /** True when the server owes no answer. */
  readonly idle: boolean;
  /** pg_dump said goodbye, so the end of the connection is no accident. */
  readonly farewell: boolean;
  /** The last error of the server that passed by; its SQLSTATE is nowhere in pg_dump's own output. */
  readonly report: ServerReport | undefined;
  /** Resolves when the server's connection is gone, with the network's error if that was why. */
  readonly ended: Promise<Error | undefined>;
}

/** Messages of the client that the server answers with one ReadyForQuery each: Query, Sync, FunctionCall. */
const ANSWERED: ReadonlySet<string> = new Set(["Q", "S", "F"]);

/**
 * Lets one pg_dump speak over a session that is open and authenticated already. So pgditto's own TLS, certificates and passwords
 * serve every pg_dump, and no secret reaches the arguments, the environment or a file of another program.
 */
export function createGateway(session: Session, client: GatewayClient): Gateway {
  const server = session.takeSocket();
  let early: Buffer | undefined = Buffer.alloc(0); // the start-up packet as far as it has come; undefined once answered
  let owed = 0;
  let farewell = false;
  let report: ServerReport | undefined;

  const watchClient = createMessageWalker({
    wanted: new Set(),
    message: (type) => {
      if (ANSWERED.has(type)) owed += 1;
      if (type === "X") farewell = true;
    },
  });
  const watchServer = createMessageWalker({
    wanted: new Set(["E"]),
    message: (type, body) => {
      if (type === "E") report = parseErrorResponse(body);
      if (type === "Z") owed = Math.max(0, owed - 1);
    },
  });

  /** Takes the start-up packets off the front; what is left is for the server. */
  const startUp = (bytes: Buffer): Buffer => {
    if (early === undefined) return bytes;
    for (early = Buffer.concat([early, bytes]); ;) {
      const step = answerStartUp(early, session);
      if (step.kind === "more") return Buffer.alloc(0);
      if (step.kind === "stranger") {
        server.destroy(new Error("pg_dump did not speak the PostgreSQL protocol"));
        return Buffer.alloc(0);
      }
      client.toClient(step.reply);
      early = step.rest;
      if (step.kind === "started") {
        early = undefined;
        return step.rest;
      }
    }
  };

  server.on("data", (chunk: Buffer) => {
    watchServer(chunk);
    const goOn = client.toClient(chunk);
    if (!goOn) server.pause();
    // A pg_dump that does not read what it asked for holds things up as much as one that asks nothing.
    if (!goOn || owed === 0) client.clientsTurn();
  });
  server.on("drain", () => client.drained());

  const ended = new Promise<Error | undefined>((resolve) => {
    let cause: Error | undefined;
    server.on("error", (error) => (cause ??= error));
    server.on("end", () => resolve(cause));
    server.on("close", () => resolve(cause));
    if (server.destroyed) resolve(cause);
  });

  return {
    fromClient: (bytes) => {
      const forServer = startUp(bytes);
      if (forServer.length === 0) return true;
      watchClient(forServer);
      if (owed > 0) client.serversTurn();
      return server.destroyed || !server.writable || server.write(forServer);
    },
    resume: () => {
      if (owed > 0) client.serversTurn();
      server.resume();
    },
    get idle() {
      return owed === 0;
    },
    get farewell() {
      return farewell;
    },
    get report() {
      return report;
    },
    ended,
  };
}

/** After pg_dump's goodbye the server ends the session; in all other cases something may still run there. */
export async function leaveGateway(gateway: Gateway, session: Session): Promise<void> {
  if (gateway.farewell) await withinMs(2000, gateway.ended);
  else await session.abort();
}
