import { join } from "node:path";
import { expect, test } from "vitest";

import * as library from "../../../src/index.ts";
import { ROOT } from "../sources.ts";
import { exportedDeclarations } from "./declarations.ts";

const declarations = exportedDeclarations(join(ROOT, "dist", "index.d.ts"));

test("what users of the library build on changes only on purpose (`npx vitest run --project package -u`, and a line in CHANGELOG.md)", async () => {
  const text = [...declarations.keys()]
    .toSorted()
    .map((name) => declarations.get(name))
    .join("\n\n");
  await expect(`${text}\n`).toMatchFileSnapshot("public-api.txt");
});

test("types and values go together", () => {
  const values = [...declarations].filter(([, text]) => /^export declare (?:function|const|class) /.test(text)).map(([name]) => name);
  expect(values.toSorted()).toEqual(Object.keys(library).toSorted());
});
