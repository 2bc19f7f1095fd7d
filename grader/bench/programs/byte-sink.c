// byte-sink -c <connections> (-t <seconds> [-w <seconds>] | -n <MiB>) [-p <pid>] [-u <pid>] <port>
//
// Takes the stream of byte-source, through a proxy perhaps, from several connections. Of each the first PERIOD
// bytes are compared; after these the kernel throws bytes away unseen (MSG_TRUNC, tcp(7)), so that the sink
// costs far less than what is measured. What arrives in the first seconds (-w) is not counted. With -n, every
// byte is compared, and after each 256 MiB nothing is read for 50 ms: who reads ahead without a limit grows.
// Prints one line of JSON; cpuSeconds is the processor time of the process -p in the counted time, loadCpuSeconds
// that of this program and of the source, -u.

#include "measure.h"

#include "loopback.h"
#include "pattern.h"

#include <sys/epoll.h>

enum { EVENTS = 64, AT_ONCE = 1024 * 1024, PAUSE_EVERY = 256 * 1024 * 1024, PAUSE_NS = 50000000 };

typedef struct {
    int fd;
    uint64_t received;
} Stream;

static unsigned char expected[PERIOD + AT_ONCE], buffer[AT_ONCE];

static size_t receive(Stream *stream, int compare) {
    compare |= stream->received < PERIOD;
    ssize_t count = recv(stream->fd, compare ? buffer : NULL, AT_ONCE, compare ? 0 : MSG_TRUNC);
    if (count < 0 && errno == EAGAIN) return 0;
    if (count <= 0) fail("a stream ended: %s", count == 0 ? "end of stream" : strerror(errno));
    if (compare && memcmp(buffer, expected + stream->received % PERIOD, (size_t)count) != 0)
        fail("wrong bytes came, between %llu and %llu", (unsigned long long)stream->received,
             (unsigned long long)stream->received + (unsigned long long)count);
    stream->received += (uint64_t)count;
    return (size_t)count;
}

int main(int argc, char **argv) {
    int connections = 1;
    double seconds = 0, warm_up = 0;
    uint64_t wanted = UINT64_MAX;
    pid_t pid = getpid(), helper = 0;
    for (int option; (option = getopt(argc, argv, "c:t:w:n:p:u:")) != -1;) {
        if (option == 'c') connections = atoi(optarg);
        else if (option == 't') seconds = atof(optarg);
        else if (option == 'w') warm_up = atof(optarg);
        else if (option == 'n') wanted = strtoull(optarg, NULL, 10) << 20;
        else if (option == 'p') pid = atoi(optarg);
        else if (option == 'u') helper = atoi(optarg);
        else return 2;
    }
    if (optind != argc - 1 || connections < 1)
        fail("usage: byte-sink -c connections (-t seconds [-w seconds] | -n MiB) [-p pid] [-u pid] port");
    int everything = wanted != UINT64_MAX;
    clockid_t server_clock = clock_of_process(pid), helper_clock = helper == 0 ? 0 : clock_of_process(helper);
    make_pattern(expected, sizeof expected);
    int epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    for (int i = 0; i < connections; i++) {
        Stream *stream = calloc(1, sizeof *stream);
        if (stream == NULL) fail("out of memory");
        stream->fd = connect_to(argv[optind]);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};
        check(epoll_ctl(epoll, EPOLL_CTL_ADD, stream->fd, &event), "epoll_ctl");
    }

    uint64_t now = nanoseconds(CLOCK_MONOTONIC), cpu = 0, own = 0, taken = 0, next_pause = PAUSE_EVERY;
    uint64_t begin = now + (uint64_t)(warm_up * 1e9);
    uint64_t end = everything ? UINT64_MAX : begin + (uint64_t)(seconds * 1e9);
    int counting = 0;
    for (; now < end && taken < wanted; now = nanoseconds(CLOCK_MONOTONIC)) {
        if (!counting && now >= begin) {
            counting = 1;
            begin = now;
            taken = 0;
            cpu = nanoseconds(server_clock);
            own = load_time(helper_clock);
        }
        struct epoll_event events[EVENTS];
        int count = check(epoll_wait(epoll, events, EVENTS, 10000), "epoll_wait");
        if (count == 0) fail("nothing came for ten seconds");
        for (int i = 0; i < count; i++) taken += receive(events[i].data.ptr, everything);
        if (everything && taken >= next_pause) {
            next_pause += PAUSE_EVERY;
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
        }
    }
    printf("{\"count\":%.3f,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"loadCpuSeconds\":%.6f}\n", (double)taken / (1 << 20),
           (double)(now - begin) / 1e9, (double)(nanoseconds(server_clock) - cpu) / 1e9,
           (double)(load_time(helper_clock) - own) / 1e9);
}
