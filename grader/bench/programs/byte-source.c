// byte-source <port>: sends an endless stream to everybody who connects, as fast as they take it. The stream
// repeats a pattern of PERIOD bytes, which lies in memory as a file: sendfile(2) hands the kernel its pages,
// so that the source costs far less than what is measured.

#include "measure.h"

#include "loopback.h"
#include "pattern.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

enum { EVENTS = 64, AT_ONCE = 512 * 1024 };

typedef struct {
    int fd;
    off_t offset; // in the pattern
} Reader;

static int pattern_file(void) {
    static unsigned char bytes[PERIOD];
    make_pattern(bytes, PERIOD);
    int file = check(memfd_create("pattern", MFD_CLOEXEC), "memfd_create");
    if (write(file, bytes, PERIOD) != PERIOD) fail("write: %s", strerror(errno));
    return file;
}

int main(int argc, char **argv) {
    if (argc != 2) fail("usage: byte-source <port>");
    raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN); // sendfile has no MSG_NOSIGNAL
    int file = pattern_file();
    int listener = listen_on(argv[1]);
    int epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening), "epoll_ctl");

    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            Reader *reader = events[i].data.ptr;
            if (reader == NULL) {
                int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0) continue;
                if ((reader = calloc(1, sizeof *reader)) == NULL) fail("out of memory");
                reader->fd = fd;
                struct epoll_event writable = {.events = EPOLLOUT, .data.ptr = reader};
                check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &writable), "epoll_ctl");
                continue;
            }
            size_t left = (size_t)(PERIOD - reader->offset);
            ssize_t sent = sendfile(reader->fd, file, &reader->offset, left < AT_ONCE ? left : AT_ONCE);
            if (reader->offset == PERIOD) reader->offset = 0;
            if (sent >= 0 || errno == EAGAIN) continue;
            close(reader->fd); // it has left
            free(reader);
        }
    }
}
