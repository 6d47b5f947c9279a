import net from "node:net";

import type { ConnectionConfig } from "./connection-config.ts";

/**
 * Sends a CancelRequest (manual 55.2.8) over a connection of its own. Best effort, at most two seconds: the server never answers
 * it. In clear text also where the session uses TLS, as libpq did until version 16: it holds no secret but its own key.
 */
export async function sendCancelRequest(config: ConnectionConfig, pid: number, secretKey: number): Promise<void> {
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(80877102, 4);
  request.writeInt32BE(pid, 8);
  request.writeInt32BE(secretKey, 12);
  await new Promise<void>((resolve) => {
    const socket = config.host.startsWith("/")
      ? net.connect(`${config.host}/.s.PGSQL.${config.port}`)
      : net.connect(config.port, config.host);
    socket.setTimeout(2000, () => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.on("connect", () => socket.end(request));
    socket.resume();
  });
}
