import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Proxy extends AsyncDisposable {
  /** The database behind it. */
  url: string;
  /** From now on nothing passes in either direction, and nobody is told. */
  freeze: () => void;
}

/** One client's way through the proxy. */
export interface Connection {
  /** Both ends find the other gone. */
  cut: () => void;
}

/** A network between pgditto and one of the servers, which can be cut off, and can change what the server says. */
export async function proxyTo(
  url: string,
  change: (fromServer: Buffer, connection: Connection) => Buffer = (bytes) => bytes,
  watch: (toServer: Buffer, connection: Connection) => void = () => {},
): Promise<Proxy> {
  const to = new URL(url);
  const sockets = new Set<Socket>();
  let frozen = false;
  const pipe = (from: Socket, into: Socket, alter: (bytes: Buffer) => Buffer): void => {
    from.on("data", (bytes: Buffer) => {
      if (frozen) return;
      const changed = alter(bytes);
      if (!into.destroyed) into.write(changed);
    });
    from.on("error", () => {});
    from.on("close", () => {
      if (!frozen) into.destroy();
    });
  };
  const listener: Server = createServer((client) => {
    const onward = connect(Number(to.port), to.hostname);
    for (const socket of [client, onward]) sockets.add(socket.on("close", () => sockets.delete(socket)));
    const connection = {
      cut: () => {
        client.destroy();
        onward.destroy();
      },
    };
    pipe(client, onward, (bytes) => {
      watch(bytes, connection);
      return bytes;
    });
    pipe(onward, client, (bytes) => change(bytes, connection));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const here = new URL(url);
  here.hostname = "127.0.0.1";
  here.port = String((listener.address() as { port: number }).port);
  return {
    url: here.href,
    freeze: () => {
      frozen = true;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
