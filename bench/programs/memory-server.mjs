// A thread that speaks as much of PostgreSQL's protocol as a session and a COPY need. `COPY … TO STDOUT` sends frames out of memory, the
// same block again and again; `COPY … FROM STDIN` swallows them. All of its bytes are real ones on a socket of this process.
import { once } from "node:events";
import { createServer } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

import { createFrameWalker } from "../../dist/postgres/frames.js";

/** A row of the table `big` takes about 300 bytes as binary COPY. */
const ROW = 300;
const BLOCK_ROWS = 200;

const message = (type, body) => {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(type);
  bytes.writeUInt32BE(4 + body.length, 1);
  body.copy(bytes, 5);
  return bytes;
};
const text = (value) => Buffer.from(`${value}\0`);
const block = Buffer.concat(Array.from({ length: BLOCK_ROWS }, () => message("d", Buffer.alloc(ROW, 7))));
const blocks = Math.ceil(workerData.bytes / block.length);
const ready = message("Z", Buffer.from("I"));
const binaryColumn = Buffer.from([1, 0, 1, 0, 1]);
const complete = (tag) => Buffer.concat([message("C", text(tag)), ready]);
const greeting = [
  message("R", Buffer.alloc(4)),
  message("S", Buffer.from("server_version\x0015.0\0")),
  message("K", Buffer.alloc(8)),
  ready,
];

async function sendRows(socket) {
  socket.write(message("H", binaryColumn));
  for (let sent = 0; sent < blocks; sent += 1) if (!socket.write(block)) await once(socket, "drain");
  socket.write(Buffer.concat([message("c", Buffer.alloc(0)), complete(`COPY ${blocks * BLOCK_ROWS}`)]));
}

function takeRows(socket) {
  socket.removeAllListeners("data");
  const walker = createFrameWalker({
    data: () => {},
    other: () => {},
    copied: (bytes) => {
      socket.off("data", walker.walk);
      answer(socket);
      socket.write(complete(`COPY ${bytes / (ROW + 5)}`));
    },
  });
  socket.on("data", walker.walk);
  socket.write(message("G", binaryColumn));
}

/** Requests are small and wait for their answer, so each is one chunk. The first of a session has no type. */
function answer(socket) {
  socket.on("data", (chunk) => {
    const request = chunk.toString("latin1");
    if (request[0] !== "Q") return;
    if (request.includes("TO STDOUT")) void sendRows(socket);
    else if (request.includes("FROM STDIN")) takeRows(socket);
    else socket.write(complete("SET"));
  });
}

const server = createServer((socket) => {
  socket.on("error", () => socket.destroy()); // the session is cut when its copy is done
  socket.once("data", () => {
    socket.write(Buffer.concat(greeting));
    answer(socket);
  });
});
server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port, []));
