import type net from "node:net";
import path from "node:path";

import type { ConnectionConfig } from "../../postgres/connection-config.ts";
import { conninfo } from "./conninfo.ts";
import type { Gateway } from "./gateway.ts";
import type { GatewayFolder } from "./gateway-folder.ts";

/** Between a client program of PostgreSQL and a gateway. */
export interface Link {
  /** The program's end, once it has come. */
  local: net.Socket | undefined;
  /** The server's end is gone. */
  gone: boolean;
}

export function join(link: Link, socket: net.Socket, gateway: Pick<Gateway, "fromClient" | "resume">): void {
  link.local = socket;
  socket.on("data", (bytes) => {
    if (!gateway.fromClient(bytes)) socket.pause();
  });
  socket.on("drain", gateway.resume);
  socket.on("error", () => undefined); // the program went away; its exit code says why
  if (link.gone) socket.end();
}

/** Where it finds us. */
export function addressOf(door: GatewayFolder, config: ConnectionConfig): string {
  return conninfo({ host: door.folder, port: String(door.port), user: config.user, dbname: config.database, sslmode: "disable" });
}

/** Nothing of the caller's environment: it may hold passwords, and PG* variables would change what the program does. */
export function environment(file: string, folder: string): Record<string, string> {
  return {
    PATH: `${path.dirname(file)}:/usr/bin:/bin`,
    LANG: "C",
    LC_ALL: "C",
    PGSSLMODE: "disable",
    PGGSSENCMODE: "disable",
    PGPASSFILE: path.join(folder, "none"), // not the user's: nobody asks for a password here
  };
}
