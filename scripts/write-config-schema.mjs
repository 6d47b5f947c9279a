// Writes config.schema.json from the table of options. Needs a build: npm run build && node scripts/write-config-schema.mjs
import { writeFileSync } from "node:fs";

const target = new URL("../config.schema.json", import.meta.url);
const { configSchema } = await import("../dist/config/json-schema.js").catch((error) => {
  console.error(`write-config-schema: ${error.message}\nRun \`npm run build\` first.`);
  process.exit(1);
});
writeFileSync(target, `${JSON.stringify(configSchema(), null, 2)}\n`);
