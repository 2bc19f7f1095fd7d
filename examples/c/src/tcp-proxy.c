// tcp-proxy [port=8080] [upstream=127.0.0.1:3000]: for each client opens a connection to the upstream
// server and relays the bytes between the two, both ways, until both have ended.
//
// All sockets are non-blocking. What one side has sent and the other does not take yet stays in a buffer
// of its own, and while it is there the first side is not read: a slow peer slows down its partner and
// nobody else, and memory does not grow.

#include "tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define USAGE "usage: tcp-proxy [port=8080] [upstream=127.0.0.1:3000]"

enum {
    EVENTS = 256,             // in one batch; what does not fit in is told by the next epoll_wait
    BUFFER_BYTES = 64 * 1024, // for each direction of each pair
    ACCEPT_RETRY_MS = 100     // how long the queue is left alone when there is no descriptor for a client
};

// One of the two ends of a pair, and the bytes that came from it and that the other end has not taken yet.
struct side {
    int fd;
    struct pair *pair;
    struct side *other;
    bool connecting;     // connect is under way: only the upstream's side, and only at first
    bool ended;          // recv gave 0: no more bytes come from here
    bool told;           // shutdown was called: no more bytes go there
    bool watched;        // it is in the epoll set
    size_t start, count; // where the bytes are in the buffer
    char buffer[BUFFER_BYTES];
};

struct pair {
    struct side client, upstream;
    struct pair *next_closed;
    bool closed;
};

static int epoll, listener;
static bool accepting = true;
static struct sockaddr_storage upstream_address;
static const char *upstream_name;

// Pairs that this batch of events has closed. They are freed after it, as events of theirs may stand
// further down in it.
static struct pair *closed_pairs;

// Changes what epoll tells of a descriptor, `who` standing in its events. Returns whether that went well.
static bool watch(int operation, int fd, uint32_t events, struct side *who) {
    struct epoll_event event = {.events = events, .data.ptr = who};
    if (epoll_ctl(epoll, operation, fd, &event) == 0) return true;
    complain("epoll_ctl: %s", strerror(errno));
    return false;
}

// The listener is the one descriptor without a side. With false, epoll does not tell when clients wait.
static void watch_listener(bool watched) {
    watch(EPOLL_CTL_MOD, listener, watched ? EPOLLIN : 0, NULL);
    accepting = watched;
}

static bool can_read(const struct side *side) {
    return !side->ended && side->count == 0 && !side->connecting && !side->other->connecting;
}

// Asks epoll for exactly what a side can use now. Returns whether that went well.
static bool update(struct side *side) {
    uint32_t events = 0;
    if (can_read(side)) events |= EPOLLIN;
    if (side->connecting || side->other->count > 0) events |= EPOLLOUT;
    // Nothing to ask for: it stays in the set for the news of a reset, which epoll tells unasked. Not so
    // when we have ended it: once the peer ends too, EPOLLHUP would come again and again, unasked as well.
    bool watched = events != 0 || !side->told;
    if (!watched && !side->watched) return true;
    int operation = !watched ? EPOLL_CTL_DEL : side->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    side->watched = watched;
    return watch(operation, side->fd, events, side);
}

static void close_pair(struct pair *pair) {
    close(pair->client.fd); // close takes it out of the epoll set, too
    close(pair->upstream.fd);
    pair->closed = true;
    pair->next_closed = closed_pairs;
    closed_pairs = pair;
}

static void free_closed_pairs(void) {
    while (closed_pairs != NULL) {
        struct pair *pair = closed_pairs;
        closed_pairs = pair->next_closed;
        free(pair);
    }
}

// Whether a call has failed for good, and not only for now.
static bool failed(ssize_t result) {
    return result < 0 && errno != EAGAIN && errno != EINTR;
}

// Moves one buffer of bytes, or the end of the stream. Returns whether both connections are in order.
static bool relay(struct side *from) {
    struct side *to = from->other;
    if (can_read(from)) {
        ssize_t count = recv(from->fd, from->buffer, sizeof from->buffer, 0);
        if (failed(count)) return false;
        from->ended = count == 0;
        from->start = 0;
        from->count = count > 0 ? (size_t)count : 0;
    }
    if (from->count > 0) {
        // MSG_NOSIGNAL: a peer that has gone is an error like others, EPIPE, and no SIGPIPE that ends us.
        ssize_t count = send(to->fd, from->buffer + from->start, from->count, MSG_NOSIGNAL);
        if (failed(count)) return false;
        if (count > 0) {
            from->start += (size_t)count;
            from->count -= (size_t)count;
        }
    }
    if (from->ended && from->count == 0 && !to->told) {
        // The end is passed on behind the last byte; the opposite direction goes on until it ends too.
        if (shutdown(to->fd, SHUT_WR) < 0) return false;
        to->told = true;
    }
    return true;
}

// Finds out what has become of connect. Returns false when it failed.
static bool finish_connect(struct side *upstream) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(upstream->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) error = errno;
    upstream->connecting = false;
    if (error != 0) complain("cannot connect to %s: %s", upstream_name, strerror(error));
    return error == 0;
}

// Does what an event on one side of a pair makes possible on either.
static void serve(struct side *side, uint32_t events) {
    struct side *other = side->other;
    // The peer of a side that is not read now has broken the connection, and recv cannot tell us.
    bool in_order = !((events & EPOLLERR) && !side->connecting && !can_read(side));
    if (in_order && side->connecting) in_order = finish_connect(side);
    if (in_order) in_order = relay(side) && relay(other);
    bool over = side->told && other->told;
    if (in_order && !over) in_order = update(side) && update(other);
    if (!in_order || over) close_pair(side->pair);
}

// Begins a connection to the upstream. Returns its descriptor, or -1.
static int connect_upstream(void) {
    int fd = socket(upstream_address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        complain("socket: %s", strerror(errno));
        return -1;
    }
    // Linux takes the length of the larger kind of address for the smaller one as well.
    if (connect(fd, (struct sockaddr *)&upstream_address, sizeof upstream_address) == 0) return fd;
    if (errno == EINPROGRESS) return fd;
    complain("cannot connect to %s: %s", upstream_name, strerror(errno));
    close(fd);
    return -1;
}

static void open_pair(int client, int upstream) {
    struct pair *pair = calloc(1, sizeof *pair);
    if (pair == NULL) {
        complain("no memory for another client");
        close(client);
        close(upstream);
        return;
    }
    pair->client.fd = client;
    pair->upstream.fd = upstream;
    pair->client.pair = pair->upstream.pair = pair;
    pair->client.other = &pair->upstream;
    pair->upstream.other = &pair->client;
    pair->upstream.connecting = true;
    if (!update(&pair->client) || !update(&pair->upstream)) close_pair(pair);
}

// Takes one client out of the queue. If more are there, the listener stays ready and we are told again.
static void accept_client(void) {
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (client >= 0) {
        int upstream = connect_upstream();
        if (upstream >= 0) open_pair(client, upstream);
        else close(client);
    } else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
        // Most likely EMFILE. The client stays in the queue and the listener ready, so that epoll_wait
        // would return at once for ever: look away for a moment.
        complain("cannot accept clients for now: %s", strerror(errno));
        watch_listener(false);
    }
}

// Reads an address such as 127.0.0.1:3000 or [::1]:3000. Returns whether it is one.
static bool parse_address(const char *text, struct sockaddr_storage *address) {
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host) return false;
    size_t length = (size_t)(colon - text);
    memcpy(host, text, length);
    host[length] = '\0';
    in_port_t port = htons(parse_port(colon + 1));

    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)address;
        host[length - 1] = '\0';
        *ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
        return port != 0 && inet_pton(AF_INET6, host + 1, &ipv6->sin6_addr) == 1;
    }
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)address;
    *ipv4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    return port != 0 && inet_pton(AF_INET, host, &ipv4->sin_addr) == 1;
}

int main(int argc, char **argv) {
    if (argc > 3) fail(2, "\"%s\" is one argument too many; " USAGE, argv[3]);
    uint16_t port = argc > 1 ? parse_port(argv[1]) : 8080;
    if (port == 0) fail(2, "\"%s\" is not a port from 1 to 65535; " USAGE, argv[1]);
    upstream_name = argc > 2 ? argv[2] : "127.0.0.1:3000";
    if (!parse_address(upstream_name, &upstream_address))
        fail(2, "\"%s\" is not an upstream like 127.0.0.1:3000 or [::1]:3000; " USAGE, upstream_name);

    listener = open_listener(port, SOCK_NONBLOCK);
    epoll = epoll_create1(0);
    if (epoll < 0) fail(1, "epoll_create1: %s", strerror(errno));
    if (!watch(EPOLL_CTL_ADD, listener, EPOLLIN, NULL)) return 1;
    announce(port);

    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, accepting ? -1 : ACCEPT_RETRY_MS);
        if (count < 0 && errno != EINTR) fail(1, "epoll_wait: %s", strerror(errno));
        if (!accepting) watch_listener(true);
        for (int i = 0; i < count; i++) {
            struct side *side = events[i].data.ptr;
            if (side == NULL) accept_client();
            else if (!side->pair->closed) serve(side, events[i].events);
        }
        free_closed_pairs();
    }
}
