/**
 * Measures what a system call costs from TypeScript, compared with the same loop in C where a C compiler is installed.
 * Run with `node dist/linux/bench.js`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AF_UNIX,
  close,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  getppid,
  recv,
  SOCK_STREAM,
  send,
  socketpair,
  uname,
} from "./index.ts";
import { lastErrno, libcFunction } from "./libc.ts";

const CALLS = 100_000;
const ROUNDS = 7;

/** Microseconds for one run of `work`: the best of several rounds, since noise only ever adds. */
function microseconds(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    for (let call = 0; call < CALLS; call++) work();
    best = Math.min(best, ((performance.now() - started) * 1000) / CALLS);
  }
  return best;
}

/** The same loops without Node; prints one figure in microseconds per line, in the order of `measure`. */
const C_PROGRAM = `
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e6 + t.tv_nsec / 1e3; }
#define MEASURE(work) do { double best = 1e9; for (int round = 0; round < ${ROUNDS}; round++) { double started = now(); \\
  for (int call = 0; call < ${CALLS}; call++) { work; } \\
  double each = (now() - started) / ${CALLS}; if (each < best) best = each; } printf("%.4f\\n", best); } while (0)
int main(void) {
  volatile int sink; int pair[2]; char byte = 'x'; static char buffer[65536]; struct epoll_event event = { .events = EPOLLIN }, events[16];
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  int set = epoll_create1(0); epoll_ctl(set, EPOLL_CTL_ADD, pair[1], &event);
  MEASURE(sink = getppid());
  MEASURE(close(-1); sink = errno);
  MEASURE(sink = send(pair[0], &byte, 1, 0); sink = recv(pair[1], buffer, sizeof buffer, 0));
  MEASURE(sink = epoll_wait(set, events, 16, 0));
  return 0;
}
`;

/** What C needs for each row; null where no compiler is installed. */
function measureC(): number[] | null {
  const folder = mkdtempSync(join(tmpdir(), "expserver-bench-"));
  try {
    const source = join(folder, "bench.c");
    const program = join(folder, "bench");
    writeFileSync(source, C_PROGRAM);
    for (const compiler of ["gcc", "cc", "clang"]) {
      if (spawnSync(compiler, ["-O2", "-w", "-o", program, source]).status !== 0) continue;
      const run = spawnSync(program, { encoding: "utf8" });
      if (run.status === 0) return run.stdout.trim().split("\n").map(Number);
    }
    return null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the calls of this folder need; `close` throws, so the error rule of the data path is measured around libc's. */
function measure(): [title: string, microseconds: number][] {
  const libc_close = libcFunction<(fd: number) => number>("int close(int fd)");
  const [a, b] = socketpair(AF_UNIX, SOCK_STREAM);
  const byte = new Uint8Array(1);
  const buffer = new Uint8Array(65536);
  const set = epoll_create1();
  const events = new EpollEvents(16);
  epoll_ctl(set, EPOLL_CTL_ADD, b, EPOLLIN);
  const figures: [string, number][] = [
    ["getppid()", microseconds(() => getppid())],
    ["close(-1) + errno", microseconds(() => libc_close(-1) < 0 && -lastErrno())],
    [
      "send + recv, 1 byte",
      microseconds(() => {
        send(a, byte, 1);
        recv(b, buffer, 65536);
      }),
    ],
    ["epoll_wait, 0 ms, idle", microseconds(() => epoll_wait(set, events, 16, 0))],
  ];
  for (const fd of [a, b, set]) close(fd);
  return figures;
}

const abs = libcFunction<(value: number) => number>("int abs(int value)");
const { release, machine } = uname();
console.log(
  `Linux ${release} ${machine}, Node ${process.version}; best of ${ROUNDS} rounds of ${CALLS} calls each.`,
);
const ffi = microseconds(() => abs(-3));
console.log(`A C function that makes no system call (abs) through koffi: ${ffi.toFixed(3)} µs.\n`);

const ours = measure();
const bare = measureC();
const cell = (text: string): string => text.padStart(12);
console.log("µs per run".padEnd(24) + ["TypeScript", "C", "difference", "ratio"].map(cell).join(""));
for (const [index, [title, cost]] of ours.entries()) {
  const c = bare?.[index];
  const compared =
    c === undefined ? ["-", "-", "-"] : [c.toFixed(3), (cost - c).toFixed(3), (cost / c).toFixed(2)];
  console.log(title.padEnd(24) + [cost.toFixed(3), ...compared].map(cell).join(""));
}
console.log(
  bare === null
    ? "\nNo C compiler here: TypeScript's figure less that of abs, once per call, comes close to the system call itself."
    : "\nTypeScript: the functions of expserver-course/linux. C: the same loop, compiled with -O2.",
);
