// Round trips on many connections, each sending again when it has the whole reply. The program that includes this says what
// is sent and received: it defines `struct connection`, which begins with the two fields below, `prepare`, `send_request`
// and `receive`, and its own options.
//
//   <program> -c <connections> (-t <seconds> [-w <seconds>] | -n <round trips>) [-p <pid>] [-u <pid>] <port>
//
// What happens in the first seconds (-w) is not counted. With -n, exactly so many round trips are made and all are counted.
// Prints one line of JSON; cpuSeconds is the processor time of the process -p in the counted time, loadCpuSeconds that
// of this program and of a proxy's upstream, -u.

#include "measure.h"

#include "loopback.h"

#include <sys/epoll.h>

enum { EVENTS = 512, BATCH = 64 };

typedef struct connection Connection;

struct common {
    int fd;
    uint64_t sent_at;
};

// Takes an option of this program alone. Returns whether there is such a one.
static int take_option(int option, const char *value);
// Makes what a connection sends.
static void prepare(Connection *connection);
// Sends it.
static void send_request(Connection *connection);
// Takes what has come. Returns whether the whole reply is there now.
static int receive(Connection *connection);

static struct common *common(Connection *connection) {
    return (struct common *)connection;
}

static void ask(Connection *connection, uint64_t now) {
    common(connection)->sent_at = now;
    send_request(connection);
}

static void open_connection(Connection *connection, int epoll, const char *port) {
    common(connection)->fd = connect_to(port);
    prepare(connection);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, common(connection)->fd, &event), "epoll_ctl");
}

// Waits for the next replies. A server that is silent for ten seconds has failed.
static int wait_for(int epoll, struct epoll_event *events) {
    int count = check(epoll_wait(epoll, events, EVENTS, 10000), "epoll_wait");
    if (count == 0) fail("no reply for ten seconds");
    return count;
}

static int make_round_trips(int argc, char **argv, size_t size, const char *options, const char *own_usage) {
    int connections = 1;
    double seconds = 0, warm_up = 0;
    uint64_t wanted = UINT64_MAX;
    pid_t pid = getpid(), helper = 0;
    for (int option; (option = getopt(argc, argv, options)) != -1;) {
        if (option == 'c') connections = atoi(optarg);
        else if (option == 't') seconds = atof(optarg);
        else if (option == 'w') warm_up = atof(optarg);
        else if (option == 'n') wanted = strtoull(optarg, NULL, 10);
        else if (option == 'p') pid = atoi(optarg);
        else if (option == 'u') helper = atoi(optarg);
        else if (option == '?' || !take_option(option, optarg)) return 2;
    }
    if (optind != argc - 1 || connections < 1)
        fail("usage: %s -c connections (-t seconds [-w seconds] | -n round trips) %s[-p pid] [-u pid] port", argv[0], own_usage);
    raise_descriptor_limit();
    clockid_t server_clock = clock_of_process(pid), helper_clock = helper == 0 ? 0 : clock_of_process(helper);
    int epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    char *memory = calloc((size_t)connections, size);
    if (memory == NULL) fail("out of memory");
#define connection_at(i) ((Connection *)(memory + (size_t)(i) * size))
    struct epoll_event events[EVENTS];

    // A few at a time, each with a round trip if time is measured: no server's queue of new connections
    // overflows, and all of them are known to be served before the clock starts.
    for (int opened = 0; opened < connections;) {
        int behind = opened + BATCH < connections ? opened + BATCH : connections;
        int outstanding = wanted == UINT64_MAX ? behind - opened : 0;
        for (; opened < behind; opened++) {
            open_connection(connection_at(opened), epoll, argv[optind]);
            if (outstanding > 0) ask(connection_at(opened), 0);
        }
        while (outstanding > 0) {
            int count = wait_for(epoll, events);
            for (int i = 0; i < count; i++) outstanding -= receive(events[i].data.ptr);
        }
    }

    static Histogram latencies;
    uint64_t now = nanoseconds(CLOCK_MONOTONIC), cpu = 0, own = 0, started = 0, made = 0;
    uint64_t begin = now + (uint64_t)(warm_up * 1e9);
    uint64_t end = wanted == UINT64_MAX ? begin + (uint64_t)(seconds * 1e9) : UINT64_MAX;
    int counting = 0;
    for (int i = 0; i < connections && started < wanted; i++, started++) ask(connection_at(i), now);
    while (now < end && made < wanted) {
        if (!counting && now >= begin) {
            counting = 1;
            begin = now;
            cpu = nanoseconds(server_clock);
            own = load_time(helper_clock);
        }
        int count = wait_for(epoll, events);
        for (int i = 0; i < count; i++) {
            Connection *connection = events[i].data.ptr;
            if (!receive(connection)) continue;
            now = nanoseconds(CLOCK_MONOTONIC);
            if (counting) {
                record(&latencies, now - common(connection)->sent_at);
                made++;
            }
            if (started < wanted) {
                started++;
                ask(connection, now);
            }
        }
    }
    printf("{\"count\":%llu,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"loadCpuSeconds\":%.6f,\"p50Us\":%.1f,\"p99Us\":%.1f}\n",
           (unsigned long long)made, (double)(now - begin) / 1e9, (double)(nanoseconds(server_clock) - cpu) / 1e9,
           (double)(load_time(helper_clock) - own) / 1e9, quantile(&latencies, 0.5),
           quantile(&latencies, 0.99));
    return 0;
}
