// epoll-server [port=8080]: sends back each message with its bytes reversed, to any number of clients at
// once, in one thread. A message is what one recv returns; a newline at its end stays at its end.
//
// The clients' sockets are blocking and watched level-triggered. recv never waits, because epoll said
// before that there is something; send waits when a client does not read, and everybody with it.

#include "tcp.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define USAGE "usage: epoll-server [port=8080]"

enum {
    EVENTS = 256,         // in one batch; what does not fit in is told by the next epoll_wait
    ACCEPT_RETRY_MS = 100 // how long the queue is left alone when there is no descriptor for a client
};

static int epoll, listener;
static bool accepting = true;

// Changes what epoll tells of a descriptor. Returns whether that went well, and says so if not.
static bool watch(int operation, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, operation, fd, &event) == 0) return true;
    complain("epoll_ctl: %s", strerror(errno));
    return false;
}

// With false, epoll does not tell when clients are waiting.
static void watch_listener(bool watched) {
    watch(EPOLL_CTL_MOD, listener, watched ? EPOLLIN : 0);
    accepting = watched;
}

// Takes one client out of the queue. If more are there, the listener stays ready and we are told again.
static void accept_client(void) {
    int client = accept(listener, NULL, NULL);
    if (client >= 0) {
        if (!watch(EPOLL_CTL_ADD, client, EPOLLIN)) close(client);
    } else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
        // Most likely EMFILE. The client stays in the queue and the listener ready, so that epoll_wait
        // would return at once for ever: look away for a moment.
        complain("cannot accept clients for now: %s", strerror(errno));
        watch_listener(false);
    }
}

// Reads what a client has sent and sends it back reversed; lets go of a client that has left.
static void answer(int client) {
    static char buffer[64 * 1024]; // one for all: each client is answered before the next is read
    ssize_t count = recv(client, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EINTR) return; // the bytes are still there, and so is the event
    if (count > 0) {
        reverse_message(buffer, (size_t)count);
        if (send_all(client, buffer, (size_t)count) == 0) return;
    }
    // The client has ended its side, or the connection is broken. close also takes it out of the set.
    close(client);
}

int main(int argc, char **argv) {
    if (argc > 2) fail(2, "\"%s\" is one argument too many; " USAGE, argv[2]);
    uint16_t port = argc > 1 ? parse_port(argv[1]) : 8080;
    if (port == 0) fail(2, "\"%s\" is not a port from 1 to 65535; " USAGE, argv[1]);

    // Non-blocking: a client may give up between epoll_wait and accept, and accept would then wait for
    // the next one while everybody else waits for us. The accepted sockets do not inherit the flag.
    listener = open_listener(port, SOCK_NONBLOCK);
    epoll = epoll_create1(0);
    if (epoll < 0) fail(1, "epoll_create1: %s", strerror(errno));
    if (!watch(EPOLL_CTL_ADD, listener, EPOLLIN)) return 1;
    announce(port);

    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, accepting ? -1 : ACCEPT_RETRY_MS);
        if (count < 0 && errno != EINTR) fail(1, "epoll_wait: %s", strerror(errno));
        if (!accepting) watch_listener(true);
        // A descriptor is in a batch once, and only its own event closes it: no event further down can be
        // about a descriptor that is closed by now, or about a new client with the number of an old one.
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) accept_client();
            else answer(events[i].data.fd);
        }
    }
}
