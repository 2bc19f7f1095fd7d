/** What holds before a first client comes: the build, the arguments, the port. */
import { type Check, check } from "../../checks.ts";
import { assert, quote } from "../../engine/evidence.ts";
import { listeningPorts } from "../../engine/listeners.ts";
import { tcpSockets } from "../../engine/proc.ts";
import { expectExit, expectNoStackTrace, expectStatus, inTurnOrTogether } from "./endings.ts";

/** The program can be built. */
export function builds(programName: string): Check {
  return check(
    "builds",
    {
      title: `${programName} builds`,
      points: 1,
      why: "A program that does not build cannot run; all other checks need it.",
    },
    async ({ plan }) => {
      assert(plan.program.ok, {
        summary: `${programName} cannot be built`,
        expected: "no errors from the compiler",
        observed: plan.program.log ?? "the build failed without a word",
      });
    },
  );
}

/** Neither the program nor a package it uses leaves the network to Node. */
export function onlySystemCalls(): Check {
  return check(
    "only-system-calls",
    {
      title: "uses only Linux system calls for the network",
      points: 1,
      after: ["builds"],
      why: "The course is about what lies below node:net and its kin; a program that calls them would have nothing of its own to learn from.",
      see: ["docs/reference/linux.md"],
    },
    async ({ plan, skip }) => {
      if (plan.program.language === "other") skip("only TypeScript programs are searched for imports");
      const found = plan.program.forbiddenImports;
      assert(found.length === 0, {
        summary: `${found[0]?.importer} imports ${found[0]?.module}`,
        expected: "network calls from expserver-course/linux only",
        observed: found.map(({ importer, module }) => `${importer} imports ${module}`).join("\n"),
      });
    },
  );
}

/** One line for each port tells where the server listens. */
export function announces(): Check {
  return check(
    "announces",
    {
      title: "prints one line for each port: listening on 0.0.0.0:PORT",
      points: 1,
      after: ["builds"],
      why: "Whoever starts a server wants to know that it is ready, and where. A line that stays in a buffer of the program's tells nobody.",
      see: ["write(2)"],
    },
    async ({ start, plan }) => {
      const server = await start();
      const lines = server.ports.map((port) => `listening on 0.0.0.0:${port}\n`);
      await server.printed(new RegExp(`(.*\\n){${lines.length}}`), 5000);
      const printed = server.stdout.text().split(/(?<=\n)/);
      assert(printed.toSorted().join("") === lines.toSorted().join(""), {
        summary:
          plan.ownPorts.length === 1
            ? "the line about listening is missing or not the only one"
            : "the lines about listening, one for each port, are incomplete or not the only ones",
        expected: quote(Buffer.from(lines.join(""))),
        observed: quote(server.stdout.bytes(), 400),
      });
      const listening = tcpSockets().filter((socket) => socket.listening);
      for (const port of server.ports) {
        const addresses = listening.filter((socket) => socket.port === port).map(({ localHex }) => localHex);
        // All zeros are 0.0.0.0, and in an IPv6 socket ::, which takes IPv4 clients as well.
        assert(
          addresses.some((address) => /^0+$/.test(address)),
          {
            summary: "the line says 0.0.0.0, but the program listens on one address only",
            expected: `a socket that listens on 0.0.0.0:${port}`,
            observed: `local address ${addresses.join(", ")} in /proc/net/tcp (bytes in the machine's order)`,
          },
        );
      }
    },
  );
}

/** A port that somebody else holds is told in one sentence: of several ports, one in the middle. */
export function portTaken(): Check {
  return check(
    "port-taken",
    {
      title: "says so when the port is taken",
      points: 1,
      after: ["builds"],
      why: "bind(2) fails with EADDRINUSE when another program listens on the port. A person who starts a server twice should read which address is taken, not a stack trace.",
      see: ["bind(2)"],
    },
    async ({ listen, launch, plan, portsForProgram, tree, waitFor }) => {
      const ports = await portsForProgram();
      const other = await listen({ host: "0.0.0.0", port: ports[Math.floor(ports.length / 2)] });
      const program = launch(plan.program.ports === "fixed" ? [] : ports.map(String));
      const exit = await expectExit(program, 5000, `it was started on port ${other.port}, which is taken`);
      expectStatus(program, exit, [1], "when its port was taken");
      expectNoStackTrace(program);
      assert(program.stderr.text().includes(String(other.port)), {
        summary: "the message does not name the port that is taken",
        expected: `a sentence on stderr that names port ${other.port}`,
        observed: program.stderr.text().trim() || "nothing on stderr",
      });
      // A program of several processes may have left one behind.
      await waitFor(() => listeningPorts(tree.alive()).length === 0, 1000);
      const left = listeningPorts(tree.alive());
      assert(left.length === 0, {
        summary: `a process that ${program.name} started still listens after its end`,
        expected: "nobody who listens after the program gave up",
        observed: `a listening socket on port ${left.join(", ")}`,
      });
    },
  );
}

/**
 * Arguments that make no sense are refused.
 * @param wrong lists of arguments, and the one of them that the message has to name
 */
export function usage(wrong: { args: string[]; names: string }[]): Check {
  return check(
    "usage",
    {
      title: "refuses a wrong argument in one sentence",
      points: 1,
      after: ["builds"],
      why: "A mistyped argument that is taken for something else starts the wrong thing. Status 2 is what programs give for wrong usage.",
      see: ["exit(3)"],
    },
    async ({ launch, plan, skip }) => {
      if (plan.program.ports === "fixed") skip("course.json says that the programs take no arguments");
      const refuses = async ({ args, names }: { args: string[]; names: string }) => {
        const program = launch(args);
        const exit = await expectExit(program, 5000, `it was started with the wrong argument "${names}"`);
        expectStatus(program, exit, [2], `when its argument was "${names}"`);
        expectNoStackTrace(program);
        assert(program.stderr.text().includes(names), {
          summary: `the message does not name the wrong argument "${names}"`,
          expected: `a sentence on stderr that names "${names}"`,
          observed: program.stderr.text().trim() || "nothing on stderr",
        });
      };
      await inTurnOrTogether(wrong.map((each) => () => refuses(each)));
    },
  );
}
