import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";

export type Direction = "toServer" | "fromServer";

export interface Proxy extends AsyncDisposable {
  /** The database behind it. */
  url: string;
  port: number;
  /** Bytes that have passed so far, over all connections. */
  readonly passed: Readonly<Record<Direction, number>>;
  /** Packets that were written to either end. */
  readonly packets: number;
  /** True once `at` has come and its fault has happened. */
  readonly struck: boolean;
  /** From now on nothing passes in either direction, and nobody is told. */
  freeze: () => void;
}

/** One client's way through the proxy. */
export interface Connection {
  /** Both ends find the other gone. */
  cut: () => void;
  /** Both ends get an RST, as from a firewall or a machine that has restarted. */
  reset: () => void;
}

/** What this network does wrong. */
export interface Weather {
  /** Bytes a second, for each connection and direction. */
  bytesPerSecond?: number;
  /** Every packet holds so many bytes at the most. */
  slice?: number;
  /** Once so many bytes have passed in this direction, over all connections: what happens to the one that carries the next. */
  at?: { bytes: number; direction: Direction; fault: "cut" | "reset" | "freeze" };
}

type Change = (bytes: Buffer, connection: Connection) => Buffer;

/** A network between pgditto and one of the servers, which can be cut off, be slow, and change what the server says. */
export async function proxyTo(
  url: string,
  change: Change = (bytes) => bytes,
  watch: (toServer: Buffer, connection: Connection) => void = () => {},
  weather: Weather = {},
): Promise<Proxy> {
  const to = new URL(url);
  const sockets = new Set<Socket>();
  const passed = { toServer: 0, fromServer: 0 };
  let packets = 0;
  let frozen = false;
  let struck = false;

  /** How many of these bytes may still pass; the fault that comes behind them is done by the caller. */
  const beforeFault = (direction: Direction, length: number): number => {
    const { at } = weather;
    if (struck || at?.direction !== direction || passed[direction] + length <= at.bytes) return length;
    struck = true;
    return Math.max(0, at.bytes - passed[direction]);
  };

  const deliver = async (bytes: Buffer, into: Socket): Promise<void> => {
    const { slice = bytes.length, bytesPerSecond } = weather;
    for (let i = 0; i < bytes.length && !into.destroyed && !frozen; i += slice) {
      const packet = bytes.subarray(i, i + slice);
      packets += 1;
      const room = into.write(packet);
      if (bytesPerSecond !== undefined) await sleep((packet.length / bytesPerSecond) * 1000);
      else if (slice < bytes.length) await nextTurn();
      // back-pressure: a network holds no more than its buffers
      if (!room && !into.destroyed) await Promise.race([once(into, "drain"), once(into, "close")]).catch(() => {});
    }
  };

  const pipe = (from: Socket, into: Socket, direction: Direction, connection: Connection, alter: (bytes: Buffer) => Buffer): void => {
    let sending = Promise.resolve();
    from.on("data", (bytes: Buffer) => {
      if (frozen) return;
      const hadStruck = struck;
      const room = beforeFault(direction, bytes.length);
      const allowed = alter(bytes).subarray(0, room === bytes.length ? undefined : room);
      passed[direction] += room;
      if (weather.slice === undefined && weather.bytesPerSecond === undefined) {
        packets += 1;
        if (!into.destroyed && allowed.length > 0) into.write(allowed);
      } else {
        from.pause();
        sending = sending.then(() => deliver(allowed, into)).then(() => void from.resume());
      }
      if (!hadStruck && struck) void sending.then(() => strike(connection));
    });
    from.on("error", () => {});
    from.on("close", () => {
      if (!frozen) void sending.then(() => into.destroy());
    });
  };

  const strike = (connection: Connection): void => {
    const fault = weather.at?.fault;
    if (fault === "freeze") frozen = true;
    else if (fault !== undefined) connection[fault]();
  };

  const listener: Server = createServer({ noDelay: true }, (client) => {
    const onward = connect({ port: Number(to.port), host: to.hostname, noDelay: true });
    const both = [client, onward];
    for (const socket of both) sockets.add(socket.on("close", () => sockets.delete(socket)));
    const connection: Connection = {
      cut: () => both.forEach((socket) => socket.destroy()),
      reset: () => both.forEach((socket) => socket.resetAndDestroy()),
    };
    pipe(client, onward, "toServer", connection, (bytes) => {
      watch(bytes, connection);
      return bytes;
    });
    pipe(onward, client, "fromServer", connection, (bytes) => change(bytes, connection));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const here = new URL(url);
  here.hostname = "127.0.0.1";
  here.port = String((listener.address() as { port: number }).port);
  return {
    url: here.href,
    port: Number(here.port),
    passed,
    get packets() {
      return packets;
    },
    get struck() {
      return struck;
    },
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
