// What the programs of the benchmark share: how to give up, clocks, a histogram of latencies. First include of each.

#define _GNU_SOURCE

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

// Ends the program with a sentence on stderr.
__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

// A system call's result, or the end of the program.
static inline int check(int result, const char *call) {
    if (result < 0) fail("%s: %s", call, strerror(errno));
    return result;
}

static inline uint64_t nanoseconds(clockid_t clock) {
    struct timespec time;
    check(clock_gettime(clock, &time), "clock_gettime");
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// The clock that counts the processor time of a process, all threads, user and kernel (clock_getcpuclockid(3)).
static inline clockid_t clock_of_process(pid_t pid) {
    clockid_t clock;
    int error = clock_getcpuclockid(pid, &clock);
    if (error != 0) fail("there is no process %d to measure: %s", (int)pid, strerror(error));
    return clock;
}

// Processor time of this process, and of another one that has the same side, if there is one.
static inline uint64_t load_time(clockid_t helper) {
    return nanoseconds(CLOCK_PROCESS_CPUTIME_ID) + (helper == 0 ? 0 : nanoseconds(helper));
}

// As many descriptors as this process may have.
static inline void raise_descriptor_limit(void) {
    struct rlimit limit;
    check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

// Counts of durations in nanoseconds. A bucket is at most 1/32 of its duration wide, so a quantile is that exact.
enum { STEPS = 32, BUCKETS = 60 * STEPS };
typedef struct {
    uint64_t counts[BUCKETS], total;
} Histogram;

static inline void record(Histogram *histogram, uint64_t ns) {
    // How far the value is shifted to the right to lie between STEPS and 2 * STEPS.
    int shift = ns < 2 * STEPS ? 0 : 63 - __builtin_clzll(ns) - 5;
    histogram->counts[shift * STEPS + (int)(ns >> shift)]++;
    histogram->total++;
}

// The duration in microseconds that a share of all does not exceed.
static inline double quantile(const Histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)(share * (double)histogram->total), seen = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        seen += histogram->counts[bucket];
        if (seen > wanted) {
            int shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;
            return (double)((uint64_t)(bucket - shift * STEPS) << shift) / 1000;
        }
    }
    return 0;
}
