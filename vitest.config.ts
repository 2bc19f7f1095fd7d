import { defineConfig } from "vitest/config";

/** The project's own unit tests; the stages' checks are graded through `grader/`, never from here. */
export default defineConfig({
  test: {
    include: ["{linux,stages,grader,cli}/**/*.test.ts"],
    exclude: ["dist", "node_modules"],
    pool: "forks",
    fileParallelism: true,
  },
});
