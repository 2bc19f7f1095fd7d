// tcp-server [port=8080]: accepts one client, sends back each message with its bytes reversed, and ends
// when the client leaves. A message is what one recv returns; a newline at its end stays at its end.

#include "tcp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define USAGE "usage: tcp-server [port=8080]"

// Waits until somebody connects; returns the descriptor of that connection.
static int accept_client(int listener) {
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client >= 0) return client;
        // A signal woke us, or this client gave up while it stood in the queue: wait for the next.
        if (errno != EINTR && errno != ECONNABORTED) fail(1, "accept: %s", strerror(errno));
    }
}

// Answers the client's messages. Returns 0 when the client has ended its side, or -1 with errno set.
static int serve(int client) {
    static char buffer[64 * 1024];
    for (;;) {
        ssize_t count = recv(client, buffer, sizeof buffer, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return (int)count;
        // `count` bytes and not the buffer: behind them lies what earlier messages left there.
        reverse_message(buffer, (size_t)count);
        if (send_all(client, buffer, (size_t)count) < 0) return -1;
    }
}

int main(int argc, char **argv) {
    if (argc > 2) fail(2, "\"%s\" is one argument too many; " USAGE, argv[2]);
    uint16_t port = argc > 1 ? parse_port(argv[1]) : 8080;
    if (port == 0) fail(2, "\"%s\" is not a port from 1 to 65535; " USAGE, argv[1]);

    int listener = open_listener(port, 0);
    announce(port);
    int client = accept_client(listener);
    if (serve(client) < 0) complain("the connection broke: %s", strerror(errno));
    close(client);
    close(listener);
    return 0;
}
