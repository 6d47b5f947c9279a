import { expect, test } from "vitest";

import { findServerBinaries } from "../../src/demo/binaries.ts";
import { startCluster } from "../../src/demo/cluster.ts";
import { freshShop } from "../support/databases.ts";
import { contents } from "../support/oracle.ts";
import { runCli } from "../support/run-cli.ts";
import { FAST, server } from "../support/servers.ts";

/** The short form of `npm run test:versions`: from the run's server to the newest embedded one, which is another where the system has its own. */
test("the shop arrives on the embedded server too", async () => {
  const binaries = await findServerBinaries({ prefer: "embedded" });
  await using cluster = await startCluster({ binaries, settings: FAST });
  await using source = await freshShop("source");
  const target = { url: cluster.url("copy of the shop") };
  const { code, stdout, stderr } = await runCli(["sync", "--json"], { env: { MAIN_DB_URL: source.url, ARCHIVE_DB_URL: target.url } });
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: "" });
  expect(await contents(target.url)).toEqual(await contents(source.url));
  const warnings = stdout
    .split("\n")
    .filter((line) => line.includes('"level":"warning"'))
    .map((line) => (JSON.parse(line) as { code: string }).code);
  // a target that is older than the source is told of
  expect(warnings.filter((warning) => warning !== "pg-dump-old")).toEqual(binaries.major < server("source").major ? ["older-target"] : []);
});
