import type { Mutant } from "../mutants.ts";

const file = "src/phase-0/hello.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file,
    edits: [["  close(99);", "  close(99;"]],
    fails: ["builds"],
  },
  {
    name: "names-its-parent",
    file,
    edits: [["{getpid()}", "{process.ppid}"]],
    fails: ["prints-pid"],
  },
  {
    name: "types-in-the-release",
    file,
    edits: [
      [
        "const { sysname, release } = uname();",
        'const { sysname } = uname();\nconst release = "6.1.0-18-example";',
      ],
    ],
    fails: ["prints-kernel"],
  },
  {
    name: "leaves-writing-to-node",
    file,
    edits: [
      [
        "const count = write(1, rest, rest.length);",
        "const count = +process.stdout.write(rest) * rest.length;",
      ],
    ],
    fails: ["uses-write"],
  },
  {
    name: "writes-to-standard-error",
    file,
    edits: [["write(1, rest, rest.length)", "write(2, rest, rest.length)"]],
    fails: ["prints-pid", "prints-kernel", "uses-write", "reports-ebadf"],
  },
  {
    name: "types-in-the-error",
    file,
    edits: [
      [
        "  close(99);\n  print(",
        '  print("close(99): EBADF (bad file descriptor)\\n");\n  process.exit(0);\n  print(',
      ],
    ],
    fails: ["reports-ebadf"],
  },
  {
    name: "prints-the-number-of-the-error",
    file,
    edits: [["errnoMessage(error.errno)", "error.errno"]],
    fails: ["reports-ebadf"],
  },
  {
    name: "catches-nothing",
    file,
    edits: [["if (!(error instanceof SystemCallError)) throw error;", "throw error;"]],
    fails: ["reports-ebadf"],
  },
  {
    name: "asks-node-for-its-host-name",
    file,
    edits: [
      ["\nconst { sysname", '\nimport { isIP } from "node:net";\nisIP(uname().nodename);\nconst { sysname'],
    ],
    fails: ["only-system-calls"],
  },
];
