import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { target: "es2022" },
  test: {
    // of the run, not of a project: stopping the servers and looking for what tests left takes its time
    teardownTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["src/**/*.test.ts", "tests/house/*.test.ts"], exclude: ["**/*.pg.test.ts"], testTimeout: 30_000 },
      },
      {
        extends: true,
        // looks at dist/, which must be built
        test: { name: "package", include: ["tests/house/package/*.test.ts"], sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: "pg",
          include: ["tests/**/*.pg.test.ts"],
          globalSetup: ["tests/support/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 4,
          // after the others, which end sooner; vitest wants groups for unequal numbers of workers anyway
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
