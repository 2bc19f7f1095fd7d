import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The reference imports the package by its name, as a learner's modules do; here that needs no build before. */
const alias = {
  "expserver-course/linux": fileURLToPath(new URL("linux/index.ts", import.meta.url)),
  "expserver-course/zod": fileURLToPath(new URL("linux/zod.ts", import.meta.url)),
};

/** The project's own unit tests; the stages' checks are graded through `grader/`, never from here. */
export default defineConfig({
  resolve: { alias },
  test: {
    include: ["{linux,stages,grader,cli,solutions}/**/*.test.ts"],
    exclude: ["dist", "node_modules"],
    pool: "forks",
    fileParallelism: true,
    alias,
  },
});
