// TCP sockets on 127.0.0.1.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static inline struct sockaddr_in loopback(const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// Small packets leave at once.
static inline void set_no_delay(int fd) {
    int on = 1;
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
}

// A non-blocking listening socket.
static inline int listen_on(const char *port) {
    struct sockaddr_in address = loopback(port);
    int on = 1, fd = check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "setsockopt");
    check(bind(fd, (struct sockaddr *)&address, sizeof address), "bind");
    check(listen(fd, SOMAXCONN), "listen");
    return fd;
}

// The next client that waits, non-blocking, or -1 when none does.
static inline int accept_next(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) set_no_delay(fd);
    else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) fail("accept4: %s", strerror(errno));
    return fd;
}

// A connection, blocking. Its close is a reset, so that thousands of them leave no TIME_WAIT behind.
static inline int connect_to(const char *port) {
    struct sockaddr_in address = loopback(port);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int fd = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), "setsockopt");
    set_no_delay(fd);
    check(connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
    return fd;
}
