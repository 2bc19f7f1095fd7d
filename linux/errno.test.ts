import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import * as table from "./errno.ts";
import { EAGAIN, EWOULDBLOCK, errnoMessage, errnoName, SystemCallError } from "./errno.ts";
import * as numbers from "./errno-numbers.ts";

describe("errno numbers", () => {
  it("agree with Node's for every error that Node names", () => {
    const exported: Record<string, unknown> = table;
    const ours = Object.keys(constants.errno).map((name) => [name, exported[name]]);
    expect(Object.fromEntries(ours)).toEqual({ ...constants.errno });
  });

  it("cover 1 to 133 without the two that Linux leaves out, each once", () => {
    const expected = Array.from({ length: 133 }, (_, index) => index + 1).filter((n) => n !== 41 && n !== 58);
    expect(Object.values(numbers).sort((a, b) => a - b)).toEqual(expected);
  });

  it("give the aliases the number of what they stand for", () => {
    expect([EWOULDBLOCK, table.ENOTSUP, table.EDEADLOCK]).toEqual([11, 95, 35]);
  });
});

describe("errnoName", () => {
  it("names positive and negative numbers alike, and an alias by its main name", () => {
    expect([errnoName(11), errnoName(-11), errnoName(-95)]).toEqual(["EAGAIN", "EAGAIN", "EOPNOTSUPP"]);
  });

  it("shows the number of an error that does not exist", () => {
    expect([errnoName(4711), errnoName(-41)]).toEqual(["errno 4711", "errno 41"]);
  });
});

describe("errnoMessage", () => {
  it("is a phrase without capital letter and full stop", () => {
    expect(errnoMessage(-EAGAIN)).toBe("resource temporarily unavailable");
    for (const number of Object.values(numbers))
      expect(errnoMessage(number)).toMatch(/^[^A-Z].*[^.]$|^[A-Z]{3}/);
  });

  it("says that it does not know an error", () => {
    expect(errnoMessage(4711)).toBe("unknown error 4711");
  });
});

describe("SystemCallError", () => {
  it("says call, subject, reason and name in one line", () => {
    const error = new SystemCallError("bind", -98, "0.0.0.0:8080");
    expect(error.message).toBe("bind 0.0.0.0:8080: address already in use (EADDRINUSE)");
    expect(error).toMatchObject({
      name: "SystemCallError",
      code: "EADDRINUSE",
      errno: 98,
      syscall: "bind",
      detail: "0.0.0.0:8080",
    });
    expect(error).toBeInstanceOf(Error);
  });

  it("leaves the subject out when there is none", () => {
    expect(new SystemCallError("pipe2", 24).message).toBe("pipe2: too many open files (EMFILE)");
  });
});
