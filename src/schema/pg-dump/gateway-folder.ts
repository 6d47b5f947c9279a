import { mkdtemp, rm, utimes } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";

/** libpq derives the socket's file name from the port; this one is only part of a name. */
const PORT = 5432;

/** Least size of `sun_path` minus its end, over the systems there are: 103 on macOS, 107 on Linux. */
const MAX_SOCKET_PATH_BYTES = 103;

/** How the folders' names begin, in the system's temporary folder. */
export const GATEWAY_PREFIX = "pgditto-gateway-";

/** Milliseconds between two signs that a folder which stays open is in use: `cleanup` takes one that is an hour old for a dead run's. */
const SIGN_MS = 10 * 60 * 1000;

/** A Unix-domain socket that only this user can reach. */
export interface GatewayFolder extends AsyncDisposable {
  readonly folder: string;
  readonly port: number;
}

/**
 * The folder is new and of mode 0700, and with guests "one" the door closes behind the first who enters: nobody else gets at our session.
 * A program with several jobs comes as often as it likes, until this is disposed of.
 */
export async function openGatewayFolder(onClient: (socket: net.Socket) => void, guests: "one" | "many" = "one"): Promise<GatewayFolder> {
  const folder = await makeFolder();
  const server = net.createServer((socket) => {
    clients.push(socket);
    if (guests === "many") return onClient(socket);
    server.close();
    // connected is connected: from here on nothing lies about, even if this process is killed
    void rm(folder, { recursive: true, force: true });
    if (clients.length === 1) onClient(socket);
    else socket.destroy();
  });
  const sign = setInterval(() => void utimes(folder, new Date(), new Date()).catch(() => undefined), SIGN_MS);
  const clients: net.Socket[] = [];
  const close = async (): Promise<void> => {
    clearInterval(sign);
    for (const client of clients) client.destroy();
    server.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(socketPath(folder), resolve);
    });
  } catch (error) {
    await close();
    throw error;
  }
  server.on("error", () => undefined); // nobody enters any more; pg_dump says so itself
  return { folder, port: PORT, [Symbol.asyncDispose]: close };
}

async function makeFolder(): Promise<string> {
  const prefix = path.join(os.tmpdir(), GATEWAY_PREFIX);
  const tooLong = Buffer.byteLength(socketPath(`${prefix}XXXXXX`)) > MAX_SOCKET_PATH_BYTES;
  return mkdtemp(tooLong ? `/tmp/${GATEWAY_PREFIX}` : prefix);
}

function socketPath(folder: string): string {
  return path.join(folder, `.s.PGSQL.${PORT}`);
}
