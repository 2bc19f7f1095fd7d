// line-server <port>: reverses lines on 127.0.0.1, the newline stays last. What an honest epoll server in C
// needs for it: one thread, non-blocking and level-triggered, memory bounded for each client. All lines of one
// recv are reversed where they lie and leave in one send. A client that does not read is not read from.

#include "measure.h"

#include "loopback.h"

#include <sys/epoll.h>

enum {
    EVENTS = 512,
    LINE_BYTES = 64 * 1024 // the longest line; also what one recv takes at most
};

typedef struct {
    int fd;
    char *partial;         // the beginning of a line whose end has not come, LINE_BYTES of room
    size_t partial_length;
    char *unsent;          // what the kernel did not take; while there is some, nothing is read
    size_t unsent_length;
} Client;

static int epoll;
static char buffer[2 * LINE_BYTES]; // for all clients: each is answered before the next is read

static void watch(int operation, Client *client, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = client};
    check(epoll_ctl(epoll, operation, client->fd, &event), "epoll_ctl");
}

static void destroy(Client *client) {
    close(client->fd);
    free(client->partial);
    free(client->unsent);
    free(client);
}

static void accept_clients(int listener) {
    for (int fd; (fd = accept_next(listener)) >= 0;) {
        Client *client = calloc(1, sizeof *client);
        if (client == NULL) fail("out of memory");
        client->fd = fd;
        watch(EPOLL_CTL_ADD, client, EPOLLIN);
    }
}

static void reverse(char *first, char *behind) {
    for (char *last = behind - 1; first < last; first++, last--) {
        char byte = *first;
        *first = *last;
        *last = byte;
    }
}

// Sends, and keeps what the kernel does not take until it does. Returns whether the client is still there.
static int answer(Client *client, const char *bytes, size_t length) {
    ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) return 0;
        sent = 0;
    }
    if ((size_t)sent == length) return 1;
    if (client->unsent == NULL && (client->unsent = malloc(2 * LINE_BYTES)) == NULL) return 0;
    client->unsent_length = length - (size_t)sent;
    memmove(client->unsent, bytes + sent, client->unsent_length);
    watch(EPOLL_CTL_MOD, client, EPOLLOUT);
    return 1;
}

// Returns whether the client is still there; an end of its lines also ends the connection.
static int on_readable(Client *client) {
    memcpy(buffer, client->partial, client->partial_length);
    char *arrived = buffer + client->partial_length;
    ssize_t count = recv(client->fd, arrived, LINE_BYTES, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    char *behind = arrived + count, *line = buffer, *newline;
    if (count == 0) {
        reverse(line, behind);
        if (behind > line) send(client->fd, line, (size_t)(behind - line), MSG_NOSIGNAL);
        return 0;
    }
    // No newline is in the part that was kept, so the search begins with what is new.
    for (char *from = arrived; (newline = memchr(from, '\n', (size_t)(behind - from))) != NULL; line = from) {
        reverse(line, newline);
        from = newline + 1;
    }
    client->partial_length = (size_t)(behind - line);
    if (client->partial_length > LINE_BYTES) return 0;
    if (client->partial_length > 0) {
        if (client->partial == NULL && (client->partial = malloc(LINE_BYTES)) == NULL) return 0;
        memcpy(client->partial, line, client->partial_length);
    }
    return line == buffer ? 1 : answer(client, buffer, (size_t)(line - buffer));
}

static int on_writable(Client *client) {
    watch(EPOLL_CTL_MOD, client, EPOLLIN);
    return answer(client, client->unsent, client->unsent_length);
}

int main(int argc, char **argv) {
    if (argc != 2) fail("usage: line-server <port>");
    raise_descriptor_limit();
    int listener = listen_on(argv[1]);
    epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening), "epoll_ctl");

    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            Client *client = events[i].data.ptr;
            if (client == NULL) accept_clients(listener);
            else if (!(events[i].events & EPOLLOUT ? on_writable(client) : on_readable(client))) destroy(client);
        }
    }
}
