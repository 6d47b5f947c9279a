import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A port of 127.0.0.1 on which nothing listens now. Below 32768, where systems take the ports of outgoing connections:
 * a server that is stopped and started again finds its port still free. Never 5432, which is somebody's real server.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 32_768);
    if (await isFree(port)) return port;
  }
  throw new Error("no free port of 127.0.0.1 between 20000 and 32767");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: "127.0.0.1", exclusive: true });
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    // Until it is closed the port is ours, not the server's.
    await new Promise((resolve) => server.close(resolve));
  }
}
