#include "tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void complain_list(const char *format, va_list arguments) {
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void complain(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complain_list(format, arguments);
    va_end(arguments);
}

noreturn void fail(int status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complain_list(format, arguments);
    va_end(arguments);
    exit(status);
}

uint16_t parse_port(const char *text) {
    // strtol alone would also take " 80", "+80" and "80x".
    size_t digits = strspn(text, "0123456789");
    if (digits < 1 || digits > 5 || text[digits] != '\0' || text[0] == '0') return 0;
    long port = strtol(text, NULL, 10);
    return port <= 65535 ? (uint16_t)port : 0;
}

int open_listener(uint16_t port, int flags) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    if (fd < 0) fail(1, "socket: %s", strerror(errno));
    // Without it, bind refuses for a minute a port on which a connection of our predecessor is dying.
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        fail(1, "SO_REUSEADDR: %s", strerror(errno));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0)
        fail(1, "cannot listen on 0.0.0.0:%u: %s", port, strerror(errno));
    return fd;
}

void announce(uint16_t port) {
    printf("listening on 0.0.0.0:%u\n", port);
    // In a terminal the newline sends the line off; in a pipe it would wait for 4,096 bytes of company.
    fflush(stdout);
}

void reverse_message(char *message, size_t length) {
    if (length > 0 && message[length - 1] == '\n') length--;
    for (size_t i = 0; i < length / 2; i++) {
        char byte = message[i];
        message[i] = message[length - 1 - i];
        message[length - 1 - i] = byte;
    }
}

int send_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        // MSG_NOSIGNAL: a peer that has gone is an error like others, EPIPE, and no SIGPIPE that ends us.
        ssize_t count = send(fd, bytes, length, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        bytes += count;
        length -= (size_t)count;
    }
    return 0;
}
