import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Check, check } from "../checks.ts";
import { examineMachine } from "../doctor.ts";
import type { CheckContext } from "../engine/context.ts";
import { assert, quote } from "../engine/evidence.ts";
import type { Program } from "../engine/program.ts";
import { expectExit, expectNoStackTrace, expectStatus } from "./general/endings.ts";
import { builds, onlySystemCalls } from "./general/start.ts";

/** Runs hello to its end. */
async function runHello({ launch }: CheckContext, env: NodeJS.ProcessEnv = {}): Promise<Program> {
  const program = launch([], { env });
  const exit = await expectExit(program, 5000, "it was started");
  expectNoStackTrace(program);
  expectStatus(program, exit, [0], "after its two lines");
  return program;
}

export const checks: Check[] = [
  check(
    "environment",
    {
      title: "this machine has what the course needs",
      points: 1,
      alone: true, // its trial terminal is no program of a check's, and looks like a stray one
      why: "The programs of this course call the Linux kernel directly; without Linux, a recent Node and the call interface nothing else can work.",
      byHand: "npx expserver-course doctor",
    },
    async () => {
      const missing = (await examineMachine()).filter(({ ok, required }) => required && !ok);
      assert(missing.length === 0, {
        summary: missing.map(({ title }) => title).join("; "),
        expected: "everything that the course needs",
        observed: missing.map(({ detail, remedy }) => `${detail}${remedy ? ` ${remedy}` : ""}`).join("\n"),
      });
    },
  ),

  builds("hello"),

  check(
    "prints-pid",
    {
      title: "prints its real process id",
      points: 2,
      after: ["builds"],
      why: "getpid(2) is the simplest system call there is: the kernel alone knows the number, and it is another one at every start.",
      see: ["getpid(2)", "write(2)"],
      byHand: "npx expserver-course run hello",
    },
    async (context) => {
      for (let round = 0; round < 2; round++) {
        const program = await runHello(context);
        const [line = ""] = program.stdout.text().split("\n");
        assert(line.startsWith(`hello from process ${program.pid} on `), {
          summary: "the first line does not name the process's own id",
          expected: quote(Buffer.from(`hello from process ${program.pid} on Linux …`)),
          observed: quote(Buffer.from(line), 120),
        });
      }
    },
  ),

  check(
    "prints-kernel",
    {
      title: "prints the kernel's release",
      points: 1,
      after: ["builds"],
      why: "uname(2) tells which kernel a program runs on; what a program may ask of the kernel depends on it.",
      see: ["uname(2)"],
      byHand: "uname -r",
    },
    async (context) => {
      const program = await runHello(context);
      const release = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
      const [line = ""] = program.stdout.text().split("\n");
      assert(line.endsWith(` on Linux ${release}`), {
        summary: "the first line does not end with the kernel's release",
        expected: quote(Buffer.from(`hello from process … on Linux ${release}`), 120),
        observed: quote(Buffer.from(line), 120),
      });
    },
  ),

  check(
    "uses-write",
    {
      title: "writes with the system call write on descriptor 1",
      points: 2,
      after: ["builds"],
      why: "console.log reaches the terminal in the end by this same call; from here on you make it yourself, and know when it happens.",
      see: ["write(2)", "docs/reference/linux.md"],
      byHand: "EXPSERVER_TRACE=2 npx expserver-course run hello",
    },
    async (context) => {
      if (context.plan.program.language === "other") context.skip("only TypeScript programs can be traced");
      const traceFile = join(context.plan.transcripts, "hello.trace");
      const program = await runHello(context, { EXPSERVER_TRACE: traceFile });
      const trace = readFileSync(traceFile, "utf8");
      const beginnings = [
        ["first", "hello from process"],
        ["second", "close(99)"],
      ];
      for (const [line, text] of beginnings) {
        assert(trace.includes(` write(1, "${text}`), {
          summary: `the ${line} line was not written with write(1, …)`,
          expected: `a call write(1, "${text} …) in the trace`,
          observed: trace.trim() || "no call of expserver-course/linux at all",
        });
      }
      assert(program.stdout.text().split("\n").length === 3, {
        summary: "there are not exactly two lines",
        expected: "two lines",
        observed: quote(program.stdout.bytes(), 300),
      });
    },
  ),

  check(
    "reports-ebadf",
    {
      title: "closes descriptor 99 and reports EBADF by name",
      points: 2,
      after: ["builds"],
      why: "Every system call can fail, and says why with a number that has a name. A program that reads the name can say what to do.",
      see: ["close(2)", "errno(3)"],
      byHand: "npx expserver-course run hello",
    },
    async (context) => {
      const program = await runHello(context);
      const [, line = ""] = program.stdout.text().split("\n");
      assert(line === "close(99): EBADF (bad file descriptor)", {
        summary: "the second line does not report the error of close(99)",
        expected: quote(Buffer.from("close(99): EBADF (bad file descriptor)")),
        observed: line === "" ? "no second line" : quote(Buffer.from(line), 120),
      });
      if (context.plan.program.language === "other") return;
      const traceFile = join(context.plan.transcripts, "hello-close.trace");
      await runHello(context, { EXPSERVER_TRACE: traceFile });
      const trace = readFileSync(traceFile, "utf8");
      assert(/ close\(99\) += -1 EBADF/.test(trace), {
        summary: "the text is right, but close(99) was never called",
        expected: "a call close(99) in the trace",
        observed: trace.trim() || "no call of expserver-course/linux at all",
      });
    },
  ),

  onlySystemCalls(),
];
