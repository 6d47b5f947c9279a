import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { target: "es2022" },
  test: {
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["src/**/*.test.ts", "tests/house/**/*.test.ts"] },
      },
      {
        extends: true,
        test: {
          name: "pg",
          include: ["tests/**/*.pg.test.ts"],
          globalSetup: ["tests/support/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          teardownTimeout: 60_000,
          maxWorkers: 4,
        },
      },
    ],
  },
});
