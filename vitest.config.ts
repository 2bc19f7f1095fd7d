import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The project's own unit tests; the stages' checks are graded through `grader/`, never from here. */
export default defineConfig({
  // The finished server's modules, without a build before.
  resolve: {
    alias: { "expserver-course/linux": fileURLToPath(new URL("linux/index.ts", import.meta.url)) },
  },
  test: {
    include: ["{linux,stages,grader,cli,solutions}/**/*.test.ts"],
    exclude: ["dist", "node_modules"],
    pool: "forks",
    fileParallelism: true,
  },
});
