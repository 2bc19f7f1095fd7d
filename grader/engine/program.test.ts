import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { describe, expect, test } from "vitest";
import { openDescriptors, proportionalBytes, residentBytes } from "./proc.ts";
import { describeExit } from "./program.ts";
import { connectTcp } from "./tcp-client.ts";
import { failedProbe, nodePlan, passedProbe, planFor, processesWithMark, shellPlan } from "./testing.ts";

const perl = spawnSync("perl", ["-e", "1"]).status === 0;

/** Waits for a program's end and tells it in words. */
async function deathOf(script: string): Promise<string | undefined> {
  let death: string | undefined;
  await passedProbe(shellPlan(script), async ({ launch }) => {
    const program = launch([]);
    await program.ended(5000);
    death = program.death();
  });
  return death;
}

describe("the end of a program is told in words:", () => {
  test.each([0, 1, 2, 77, 128, 255])("status %i", async (status) => {
    expect(await deathOf(`exit ${status}`)).toBe(`ended with status ${status}`);
  });

  // The signals that end a program when it has not said otherwise (signal(7)), and are not for real time.
  const deadly = (
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT XCPU XFSZ " +
    "VTALRM PROF IO PWR SYS"
  )
    .split(" ")
    .map((name) => [`SIG${name}` as NodeJS.Signals]);
  test.each(deadly)("%s", async (signal) => {
    const death = await deathOf(`ulimit -c 0; kill -${constants.signals[signal]} $$`);
    // SIGIO has two names.
    expect(death).toMatch(
      new RegExp(`^was ended by ${signal === "SIGIO" ? "SIG(IO|POLL)" : signal}(: .+)?$`),
    );
  });

  test("a segmentation fault says what it means", () => {
    expect(describeExit({ code: null, signal: "SIGSEGV" })).toBe(
      "was ended by SIGSEGV: it used memory that is not its own",
    );
  });

  test("a signal that a shell reports as a status is named", async () => {
    // The list keeps the shell there: it waits for the inner program, and reports 128 + 8.
    const death = await deathOf("ulimit -c 0; sh -c 'kill -8 $$'; exit $?");
    expect(death).toBe("ended with status 136 (in a shell: 128 + 8, SIGFPE: it divided by zero)");
  });

  test("a program that is not there", async () => {
    const evidence = await failedProbe(
      planFor("./missing {args}"),
      async ({ start }) => void (await start()),
    );
    expect(evidence.observed).toBe("the program ended with status 127");
    expect(evidence.programs[0]!.output).toContain("./missing: not found");
  });
});

describe("waiting until a server listens", () => {
  test("ends at once when the program ends first", async () => {
    const begun = performance.now();
    const evidence = await failedProbe(
      shellPlan("echo no >&2; exit 3"),
      async ({ start }) => void (await start()),
    );
    expect(evidence.summary).toMatch(/^tcp-server ended before it listened on port \d+$/);
    expect(evidence.observed).toBe("the program ended with status 3");
    expect(evidence.programs[0]!.output).toBe("no");
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  test("gives up at the deadline, and says that the program listens nowhere", async () => {
    const evidence = await failedProbe(planFor("sleep 1000"), async ({ launch }) => {
      const program = launch([]);
      program.ports = [1];
      await program.listening(200);
    });
    expect(evidence.summary).toBe("tcp-server does not listen on port 1");
    expect(evidence.expected).toBe("a listening socket on port 1 within 200 ms");
    expect(evidence.observed).toBe("the program runs and listens on no port");
  });

  test("waits for one that listens late", async () => {
    const late = `setTimeout(() => require("net").createServer().listen(process.argv[2]), 700)`;
    const report = await passedProbe(nodePlan(late), async (context) => {
      const program = await context.start();
      await context.connect(program);
    });
    expect(report.durationMs).toBeGreaterThan(700);
  });

  test("believes the kernel and not a line that the program prints", async () => {
    const liar = `console.log("listening on 0.0.0.0:" + process.argv[2]); setInterval(() => {}, 1000)`;
    const evidence = await failedProbe(nodePlan(liar), async ({ launch, freePort }) => {
      const program = launch([String(await freePort())]);
      program.ports = [Number(program.commandLine.split(" ")[1])];
      await program.printed("listening", 5000);
      await program.listening(100);
    });
    expect(evidence.observed).toBe("the program runs and listens on no port");
  });

  test("names the port where it listens instead", async () => {
    const script = `require("net").createServer().listen(Number(process.argv[2]) + 1, function () { console.log("up") })`;
    const evidence = await failedProbe(nodePlan(script), async ({ launch, freePort }) => {
      const port = await freePort();
      const program = launch([String(port)]);
      await program.printed("up", 5000);
      program.ports = [port];
      await program.listening(100);
    });
    const port = Number(/port (\d+)$/.exec(evidence.summary)![1]);
    expect(evidence.observed).toBe(`the program runs and listens on port ${port + 1} instead`);
  });

  test("does not take somebody else's socket on the port for the program's", async () => {
    const evidence = await failedProbe(planFor("sleep 1000"), async ({ launch, listen }) => {
      const other = await listen();
      const program = launch([]);
      program.ports = [other.port];
      await program.listening(200);
    });
    expect(evidence.observed).toBe("the program runs and listens on no port");
  });

  test("finds the socket with a process far below the program, and takes no connection from it", async () => {
    // A server that counts its clients, below two shells that stay.
    const server = `let n = 0; require("net").createServer((s) => s.end("client " + ++n)).listen(process.argv[1])`;
    const plan = shellPlan(
      `node() { '${process.execPath}' -e '${server}' "$1"; true; }; (node "$1"; true); true`,
    );
    await passedProbe(plan, async (context) => {
      const client = await context.connect(await context.start());
      await client.expect("client 1");
    });
  });

  test("finds an IPv6 socket that takes IPv4 clients as well", async () => {
    const script = `require("net").createServer((s) => s.end("hello")).listen(process.argv[2], "::")`;
    await passedProbe(nodePlan(script), async (context) => {
      await (await context.connect(await context.start())).expect("hello");
    });
  });
});

describe("what a program prints", () => {
  test("is all there when its end is known, also beside programs that go on", async () => {
    const plan = shellPlan('test "$1" = stay && exec sleep 1000; head -c 300000 /dev/zero; printf end >&2');
    await passedProbe(plan, async ({ launch }) => {
      launch(["stay"]);
      for (let round = 0; round < 20; round++) {
        const program = launch(["print"]);
        await program.ended(5000);
        expect(program.stdout.total).toBe(300_000);
        expect(program.stderr.text()).toBe("end");
      }
    });
  });

  test("is waited for until it comes", async () => {
    const plan = shellPlan("printf first; sleep 0.2; printf ' second'; sleep 1000");
    await passedProbe(plan, async ({ launch }) => {
      const program = launch([]);
      expect(await program.printed("first second", 5000)).toBe(true);
      expect(await program.printed(/second$/, 1)).toBe(true);
      expect(await program.printed("third", 50)).toBe(false);
    });
  });

  test("is not waited for once the program has ended", async () => {
    const report = await passedProbe(shellPlan("printf first"), async ({ launch }) => {
      expect(await launch([]).printed("second", 50_000)).toBe(false);
    });
    expect(report.durationMs).toBeLessThan(10_000);
  });

  test("may end before the program does: closed streams disturb nobody", async () => {
    const plan = nodePlan(
      `const fs = require("fs"); for (const fd of [0, 1, 2]) fs.closeSync(fd);
       require("net").createServer((s) => s.end("hello")).listen(process.argv[2])`,
    );
    await passedProbe(plan, async (context) => {
      const program = await context.start();
      await (await context.connect(program)).expect("hello");
      program.kill("SIGTERM");
      expect(await program.ended(5000)).toEqual({ code: null, signal: "SIGTERM" });
    });
  });

  test("goes to a report as its first 4 and its last 40 lines", async () => {
    const evidence = await failedProbe(shellPlan("seq 1 1000"), async ({ launch }) => {
      const program = launch([]);
      await program.ended(5000);
      program.ports = [1];
      await program.listening();
    });
    const { output } = evidence.programs[0]!;
    const last = Array.from({ length: 40 }, (_, line) => String(961 + line));
    expect(output.split("\n")).toEqual(["1", "2", "3", "4", "… 956 lines …", ...last]);
  });
});

describe("a program gets", () => {
  test("its input, and the end of it", async () => {
    await passedProbe(planFor("cat"), async ({ launch }) => {
      const program = launch([]);
      program.write("typed\n");
      expect(await program.printed("typed\n", 5000)).toBe(true);
      program.endInput();
      expect(await program.ended(5000)).toEqual({ code: 0, signal: null });
    });
  });

  test("no descriptor of the grader's besides the three standard ones", async () => {
    // What the grader itself was started with, as from a shell with more open, is not its own to close.
    const inherited = openDescriptors(process.ppid).map(({ target }) => target);
    await passedProbe(planFor("ls -l /proc/self/fd"), async ({ launch, listen }) => {
      await listen();
      const program = launch([]);
      await program.ended(5000);
      const open = [...program.stdout.text().matchAll(/ (\d+) -> (.*)$/gm)];
      expect(open.length).toBeGreaterThanOrEqual(4); // with the folder that ls reads
      const others = open.filter(
        ([, fd, target = ""]) =>
          Number(fd) > 2 && !/^\/proc\/\d+\/fd$/.test(target) && !inherited.includes(target),
      );
      expect(others.map(([, fd, target]) => `${fd} ${target}`)).toEqual([]);
    });
  });

  test("the plan's environment, the mark, and nothing of the grader's own", async () => {
    const plan = planFor("env", { env: { PATH: process.env.PATH, GREETING: "hello" } });
    await passedProbe(plan, async ({ launch }) => {
      const program = launch([], { env: { EXTRA: "more" } });
      await program.ended(5000);
      // The shell that carries out the command adds two.
      const lines = program.stdout.text().trim().split("\n");
      expect(lines.filter((line) => !/^(PWD|OLDPWD|_|SHLVL)=/.test(line)).sort()).toEqual(
        [
          `PATH=${process.env.PATH}`,
          "GREETING=hello",
          "EXTRA=more",
          `EXPSERVER_GRADING=${plan.mark}/probe`,
        ].sort(),
      );
    });
  });

  test("signals for its whole group", async () => {
    const plan = shellPlan("sh -c 'echo two; exec sleep 1000' & echo one; wait");
    await passedProbe(plan, async (context) => {
      const program = context.launch([]);
      await program.printed("two", 5000);
      program.kill("SIGTERM");
      expect(await program.ended(5000)).toEqual({ code: null, signal: "SIGTERM" });
      const gone = await context.waitFor(() => processesWithMark(plan.mark).length === 0, 5000);
      expect(gone).toBe(true);
    });
  });
});

describe("limits:", () => {
  test("a program that prints without end is stopped, and 1 MiB of it is kept", async () => {
    const evidence = await failedProbe(planFor("cat /dev/zero"), async ({ launch, step }) => {
      const program = launch([]);
      await program.ended(20_000);
      expect(program.output.bytes().length).toBeLessThanOrEqual(1024 * 1024 + 64 * 1024);
      step("over");
      program.ports = [1];
      await program.listening();
    });
    expect(evidence.summary).toBe(
      "tcp-server was stopped by the grader: it wrote more than 64 MiB to stdout and stderr",
    );
  });

  test("output is counted also when it comes on both streams", async () => {
    const plan = shellPlan("cat /dev/zero & exec cat /dev/zero >&2");
    await passedProbe(plan, async ({ launch }) => {
      const program = launch([]);
      await program.ended(20_000);
      expect(program.stopped).toMatch(/^wrote more than 64 MiB/);
      expect(program.stdout.total + program.stderr.total).toBe(program.output.total);
    });
  });

  // Buffer.alloc with a value other than 0 writes to each page. Where no limit holds, it stops at 3 GiB.
  const eat =
    "const held = []; setInterval(() => held.length < 48 && held.push(Buffer.alloc(64 * 1024 * 1024, 1)), 5)";

  test("a program that eats memory is stopped at 1 GiB", async () => {
    await passedProbe(nodePlan(eat), async ({ launch }) => {
      const program = launch([]);
      expect(await program.ended(30_000)).toEqual({ code: null, signal: "SIGKILL" });
      expect(program.death()).toMatch(
        /^was stopped by the grader: it used \d+ MiB of memory \(the limit is 1024 MiB\)$/,
      );
    });
  });

  test("memory counts also where the program has ended and left another process behind", async () => {
    const plan = shellPlan(`setsid '${process.execPath}' -e '${eat}' & exit 0`);
    await passedProbe(plan, async (context) => {
      const program = context.launch([]);
      expect(await program.ended(5000)).toEqual({ code: 0, signal: null });
      expect(await context.waitFor(() => program.stopped, 30_000)).toMatch(/^used \d+ MiB of memory/);
      const gone = await context.waitFor(() => processesWithMark(plan.mark).length === 0, 5000);
      expect(gone).toBe(true);
    });
  });

  test.skipIf(!perl)("memory that processes share counts once (needs perl)", async () => {
    // Eight processes with the same 300 MB, which none of them writes to.
    const script = `perl -e '$x = "x" x 150e6; for (1..3) { fork } $| = 1; print "up\\n"; sleep 1000'`;
    await passedProbe(shellPlan(script), async ({ launch, tree, waitFor }) => {
      const program = launch([]);
      await waitFor(() => program.stdout.text().split("up").length === 9, 10_000);
      expect(residentBytes(tree.alive())).toBeGreaterThan(1024 * 1024 * 1024);
      expect(proportionalBytes(tree.alive())).toBeLessThan(500e6);
      // Limits are looked at ten times a second.
      expect(await waitFor(() => program.stopped, 500)).toBeUndefined();
    });
  });

  test("a program that starts others without end is stopped", async () => {
    await passedProbe(shellPlan("for n in $(seq 3000); do sleep 60 & done; wait"), async ({ launch }) => {
      const program = launch([]);
      await program.ended(30_000);
      expect(program.death()).toMatch(
        /^was stopped by the grader: it had \d+ processes \(the limit is 500\)$/,
      );
    });
  });
});

describe("nothing is left of a program that", () => {
  /** Runs a server that tries to survive, and makes sure that its port is free when the check is over. */
  async function survivesNot(script: string): Promise<void> {
    const plan = nodePlan(script);
    let port = 0;
    await passedProbe(plan, async (context) => {
      port = await context.freePort();
      const program = context.launch([String(port)]);
      const survivor = await context.waitFor(() => {
        const found = /survivor (\d+)/.exec(program.stdout.text());
        return found === null ? undefined : Number(found[1]);
      }, 10_000);
      expect(survivor).toBeDefined();
      expect(context.tree.alive().map(({ pid }) => pid)).toContain(survivor);
    });
    const options = {
      name: "client",
      transcript: { step() {}, bytes() {} } as never,
      deadline: () => ({ until: async (done: () => unknown) => waitUntil(done), limitMs: 1000 }) as never,
    };
    await expect(connectTcp({ host: "127.0.0.1", port }, options)).rejects.toThrow(/could not connect/);
  }

  async function waitUntil(done: () => unknown): Promise<unknown> {
    while (!done()) await new Promise((resolve) => setTimeout(resolve, 1));
    return true;
  }

  /** Listens and tells its own process id. */
  const survivor =
    "require(`net`).createServer().listen(process.argv.at(-1), () => console.log(`survivor`, process.pid))";
  /** Starts a process in a session of its own, which does the same and leaves. */
  const twice = (env: string) => `
    const { spawn } = require("child_process");
    const options = { detached: true, stdio: "inherit", env: ${env} };
    const inner = ${JSON.stringify(survivor)};
    const outer = "const { spawn } = require('child_process'); spawn(process.execPath, ['-e', process.argv[1], process.argv[2]]," +
      " { detached: true, stdio: 'inherit' }).unref(); process.exit()";
    spawn(process.execPath, ["-e", outer, inner, process.argv[2]], options).unref();
    process.exit();`;

  test("ignores every signal that can be ignored", () =>
    survivesNot(
      `for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"]) process.on(name, () => {});
       ${survivor}`,
    ));
  test("stops itself", () =>
    survivesNot(`${survivor}; setTimeout(() => process.kill(process.pid, "SIGSTOP"), 200)`));
  test("spins", () => survivesNot(`${survivor}; setTimeout(() => { for (;;); }, 100)`));
  test("forks twice into sessions of their own", () => survivesNot(twice("process.env")));
  test("forks twice and throws its environment away", () => survivesNot(twice("{}")));

  // Each process starts the next one and ends, a few times in a millisecond; after 20 s it gives up.
  const chain = (step = "") =>
    `perl -e '$| = 1; print "on\\n"; until (time - $^T > 20) { exit if fork; ${step} }'`;

  test.skipIf(!perl)("is one short-lived process after another (needs perl)", async () => {
    for (let round = 0; round < 5; round++) {
      const plan = planFor(chain());
      await passedProbe(plan, async ({ launch }) => void (await launch([]).printed("on", 5000)));
      // Each link of a chain that goes on would be seen sooner or later.
      for (let look = 0; look < 20; look++) expect(processesWithMark(plan.mark)).toEqual([]);
    }
  });

  test.skipIf(!perl)("leaves one zombie after another (needs perl)", async () => {
    const plan = planFor(`perl -e 'for (1..5000) { fork or exit } sleep 60'`);
    await passedProbe(plan, async ({ launch }) => {
      const program = launch([]);
      expect(await program.ended(30_000)).toEqual({ code: null, signal: "SIGKILL" });
      expect(program.death()).toMatch(
        /^was stopped by the grader: it had \d+ processes \(the limit is 500\)$/,
      );
    });
  });
});
