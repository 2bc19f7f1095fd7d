import { z } from "expserver-course/zod";
import type { Module } from "../config/module.ts";

const defaultBytes = 1024 * 1024;

/** Limits how long the body of a request may be: a longer one is answered by 413. */
export function bodySize(): Module {
  return {
    name: "body-size",
    serverKeys: {
      max_body_bytes: z
        .int()
        .nonnegative()
        .default(defaultBytes)
        .describe("Bytes that the body of a request may have at most."),
    },
    setUpServer({ phases, config }) {
      const limit = config.max_body_bytes as number;
      phases.head.push((request) => {
        request.bodyLimit = limit;
        return false;
      });
    },
  };
}
