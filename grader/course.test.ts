import { describe, expect, test } from "vitest";
import { loadCourse } from "./course.ts";
import { workspace } from "./grading-process.ts";
import { UserError } from "./user-error.ts";

test("without a course.json everything is as the course lays it out", () => {
  expect(loadCourse(workspace({ x: "" }))).toEqual({ run: {}, ports: "argument", modules: {} });
});

test("a course.json says how programs are built and run", () => {
  const said = {
    $schema: "./schema.json",
    build: "make",
    run: { "tcp-server": "./xps {args}" },
    ports: "fixed",
    modules: { "network/socket": "src/sockets.ts" },
  };
  expect(loadCourse(workspace({ "course.json": said }))).toEqual(said);
});

test("a module may be named by its file in the course", () => {
  const said = { modules: { "src/network/socket.ts": "src/sockets.ts" } };
  expect(loadCourse(workspace({ "course.json": said })).modules).toEqual({
    "network/socket": "src/sockets.ts",
  });
});

describe("a course.json that cannot be understood names the file, the key and what is wrong:", () => {
  test.each<[what: string, content: string | object, message: RegExp]>([
    ["no JSON", "{ run: 1 }", /course\.json is not valid JSON: .*JSON.*\.$/],
    ["empty", "", /course\.json is not valid JSON: /],
    ["an unknown key", { biuld: "make" }, /course\.json: top level: .*"biuld"/],
    ["a text for run", { run: "make" }, /course\.json: run: .*expected record/],
    [
      "a number for a command",
      { run: { "tcp-server": 1 } },
      /course\.json: run\.tcp-server: .*expected string/,
    ],
    ["another word for ports", { ports: "some" }, /course\.json: ports: .*"argument"\|"fixed"/],
    [
      "a program of no stage",
      { run: { "stage-5": "./xps" } },
      /course\.json: run: no stage has a program "stage-5"\. Did you mean stage-05\?$/,
    ],
    [
      "a program unlike any other",
      { run: { "my-wonderful-program": "./xps" } },
      /course\.json: run: no stage has a program "my-wonderful-program"\.$/,
    ],
    [
      "a module of no contract",
      { modules: { "network/sokcet": "src/x.ts" } },
      /course\.json: modules: no stage's contract has a module "network\/sokcet"\. Did you mean network\/socket\?$/,
    ],
    ["a list", "[]", /course\.json: top level: .*expected object/],
    ["nothing", "null", /course\.json: top level: .*expected object/],
  ])("%s", (_, content, message) => {
    const load = () => loadCourse(workspace({ "course.json": content }));
    expect(load).toThrow(UserError);
    expect(load).toThrow(message);
    expect(load).toThrow(/^[^\n]+$/);
  });
});
