// http-origin <port> <bytes>: an upstream for proxies, on 127.0.0.1. Answers every request that comes by the same 200 with so
// many bytes, and keeps the connection. Requests have no body, and each comes when the one before has been answered: what a
// load generator's requests look like behind a proxy. It does as little as it can, so that the proxy is the limit.

#include "measure.h"

#include "loopback.h"

#include <sys/epoll.h>

enum { EVENTS = 512, LONGEST_HEAD = 16 * 1024 };

// A connection: its descriptor, and the last bytes of a head that has not come to its end.
typedef struct {
    int fd;
    uint32_t last;
} Client;

static int epoll;
static char *answer;
static size_t answer_bytes;

static void make_answer(size_t bytes) {
    answer = malloc(bytes + 256);
    if (answer == NULL) fail("out of memory");
    answer_bytes = (size_t)sprintf(answer,
        "HTTP/1.1 200 OK\r\nServer: http-origin\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
        "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n", bytes);
    for (size_t i = 0; i < bytes; i++) answer[answer_bytes++] = (char)('a' + i % 26);
}

static void accept_clients(int listener) {
    for (int fd; (fd = accept_next(listener)) >= 0;) {
        Client *client = calloc(1, sizeof *client);
        if (client == NULL) fail("out of memory");
        client->fd = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    }
}

// Answers when the empty line has come. Returns whether the client is still there.
static int on_readable(Client *client) {
    static char bytes[LONGEST_HEAD];
    ssize_t count = recv(client->fd, bytes, sizeof bytes, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return 0;
    for (ssize_t i = count > 4 ? count - 4 : 0; i < count; i++) client->last = client->last << 8 | (unsigned char)bytes[i];
    if (client->last != 0x0d0a0d0a) return 1;
    client->last = 0;
    return send(client->fd, answer, answer_bytes, MSG_NOSIGNAL) == (ssize_t)answer_bytes;
}

int main(int argc, char **argv) {
    if (argc != 3) fail("usage: http-origin <port> <bytes>");
    raise_descriptor_limit();
    make_answer(strtoul(argv[2], NULL, 10));
    int listener = listen_on(argv[1]);
    epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening), "epoll_ctl");

    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            Client *client = events[i].data.ptr;
            if (client == NULL) {
                accept_clients(listener);
            } else if (!on_readable(client)) {
                close(client->fd);
                free(client);
            }
        }
    }
}
