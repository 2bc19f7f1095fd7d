// line-client -c <connections> (-t <seconds> [-w <seconds>] | -n <round trips>) [-l <bytes>] [-p <pid>] [-u <pid>] <port>
//
// Loads a server that reverses lines: each connection sends its line again when it has the whole reply. Every
// reply is compared. What happens in the first seconds (-w) is not counted. With -n, exactly so many round
// trips are made and all are counted. Prints one line of JSON; cpuSeconds is the processor time of the
// process -p in the counted time, loadCpuSeconds that of this program and of a proxy's upstream, -u.

#include "measure.h"

#include "loopback.h"

#include <sys/epoll.h>

enum { EVENTS = 512, LONGEST_LINE = 4096, BATCH = 64 };

typedef struct {
    int fd;
    size_t received;   // bytes of the reply that have come
    uint64_t sent_at;
    char line[LONGEST_LINE], reply[LONGEST_LINE];
} Connection;

static size_t line_bytes = 32;
static uint64_t random_state = 88172645463325252u;

// Letters, so that a line shows what became of it when it comes back wrong (xorshift64).
static void make_line(Connection *connection) {
    for (size_t i = 0; i + 1 < line_bytes; i++) {
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        connection->line[i] = (char)('a' + random_state % 26);
        connection->reply[line_bytes - 2 - i] = connection->line[i];
    }
    connection->line[line_bytes - 1] = connection->reply[line_bytes - 1] = '\n';
}

static void send_line(Connection *connection, uint64_t now) {
    connection->received = 0;
    connection->sent_at = now;
    // The reply to the line before has come: there is always room for one line.
    ssize_t sent = send(connection->fd, connection->line, line_bytes, MSG_NOSIGNAL);
    if (sent != (ssize_t)line_bytes) fail("send: %s", sent < 0 ? strerror(errno) : "not the whole line was taken");
}

// Returns whether the whole reply is there now.
static int receive(Connection *connection) {
    char bytes[LONGEST_LINE];
    ssize_t count = recv(connection->fd, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EAGAIN) return 0;
    if (count <= 0) fail("the server ended a connection: %s", count == 0 ? "end of stream" : strerror(errno));
    if (connection->received + (size_t)count > line_bytes) fail("more came back than a line");
    if (memcmp(bytes, connection->reply + connection->received, (size_t)count) != 0)
        fail("\"%.*s\" came back for \"%.*s\"", (int)count - 1, bytes, (int)line_bytes - 1, connection->line);
    connection->received += (size_t)count;
    return connection->received == line_bytes;
}

static void open_connection(Connection *connection, int epoll, const char *port) {
    connection->fd = connect_to(port);
    make_line(connection);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event), "epoll_ctl");
}

// Waits for the next replies. A server that is silent for ten seconds has failed.
static int wait_for(int epoll, struct epoll_event *events) {
    int count = check(epoll_wait(epoll, events, EVENTS, 10000), "epoll_wait");
    if (count == 0) fail("no reply for ten seconds");
    return count;
}

int main(int argc, char **argv) {
    int connections = 1;
    double seconds = 0, warm_up = 0;
    uint64_t wanted = UINT64_MAX;
    pid_t pid = getpid(), helper = 0;
    for (int option; (option = getopt(argc, argv, "c:t:w:n:l:p:u:")) != -1;) {
        if (option == 'c') connections = atoi(optarg);
        else if (option == 't') seconds = atof(optarg);
        else if (option == 'w') warm_up = atof(optarg);
        else if (option == 'n') wanted = strtoull(optarg, NULL, 10);
        else if (option == 'l') line_bytes = strtoul(optarg, NULL, 10);
        else if (option == 'p') pid = atoi(optarg);
        else if (option == 'u') helper = atoi(optarg);
        else return 2;
    }
    if (optind != argc - 1 || connections < 1 || line_bytes < 2 || line_bytes > LONGEST_LINE)
        fail("usage: line-client -c connections (-t seconds [-w seconds] | -n round trips) [-l bytes] [-p pid] [-u pid] port");
    raise_descriptor_limit();
    clockid_t server_clock = clock_of_process(pid), helper_clock = helper == 0 ? 0 : clock_of_process(helper);
    int epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    Connection *all = calloc((size_t)connections, sizeof *all);
    if (all == NULL) fail("out of memory");
    struct epoll_event events[EVENTS];

    // A few at a time, each with a round trip if time is measured: no server's queue of new connections
    // overflows, and all of them are known to be served before the clock starts.
    for (int opened = 0; opened < connections;) {
        int behind = opened + BATCH < connections ? opened + BATCH : connections;
        int outstanding = wanted == UINT64_MAX ? behind - opened : 0;
        for (; opened < behind; opened++) {
            open_connection(&all[opened], epoll, argv[optind]);
            if (outstanding > 0) send_line(&all[opened], 0);
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
    for (int i = 0; i < connections && started < wanted; i++, started++) send_line(&all[i], now);
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
                record(&latencies, now - connection->sent_at);
                made++;
            }
            if (started < wanted) {
                started++;
                send_line(connection, now);
            }
        }
    }
    printf("{\"count\":%llu,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"loadCpuSeconds\":%.6f,\"p50Us\":%.1f,\"p99Us\":%.1f}\n",
           (unsigned long long)made, (double)(now - begin) / 1e9, (double)(nanoseconds(server_clock) - cpu) / 1e9,
           (double)(load_time(helper_clock) - own) / 1e9, quantile(&latencies, 0.5),
           quantile(&latencies, 0.99));
}
