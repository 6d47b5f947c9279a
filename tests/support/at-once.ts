import { spawnSync } from "node:child_process";

/** Runs a text in another process, so that it is done before an event's handler returns: the run stands still meanwhile. */
export function changeAtOnce(url: string, text: string): void {
  const program = `import pg from "pg"; const client = new pg.Client(${JSON.stringify(url)}); await client.connect(); await client.query(${JSON.stringify(text)}); await client.end();`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", timeout: 20_000 });
  if (status !== 0) throw new Error(stderr);
}
