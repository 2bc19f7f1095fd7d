// line-client: loads a server that reverses lines. Options as in round-trips.h, and -l <bytes> for the line's length.
// Every reply is compared.

#include "round-trips.h"

enum { LONGEST_LINE = 4096 };

struct connection {
    struct common common;
    size_t received; // bytes of the reply that have come
    char line[LONGEST_LINE], reply[LONGEST_LINE];
};

static size_t line_bytes = 32;
static uint64_t random_state = 88172645463325252u;

static int take_option(int option, const char *value) {
    if (option != 'l') return 0;
    line_bytes = strtoul(value, NULL, 10);
    return line_bytes >= 2 && line_bytes <= LONGEST_LINE;
}

// Letters, so that a line shows what became of it when it comes back wrong (xorshift64).
static void prepare(Connection *connection) {
    for (size_t i = 0; i + 1 < line_bytes; i++) {
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        connection->line[i] = (char)('a' + random_state % 26);
        connection->reply[line_bytes - 2 - i] = connection->line[i];
    }
    connection->line[line_bytes - 1] = connection->reply[line_bytes - 1] = '\n';
}

static void send_request(Connection *connection) {
    connection->received = 0;
    // The reply to the line before has come: there is always room for one line.
    ssize_t sent = send(connection->common.fd, connection->line, line_bytes, MSG_NOSIGNAL);
    if (sent != (ssize_t)line_bytes) fail("send: %s", sent < 0 ? strerror(errno) : "not the whole line was taken");
}

static int receive(Connection *connection) {
    char bytes[LONGEST_LINE];
    ssize_t count = recv(connection->common.fd, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EAGAIN) return 0;
    if (count <= 0) fail("the server ended a connection: %s", count == 0 ? "end of stream" : strerror(errno));
    if (connection->received + (size_t)count > line_bytes) fail("more came back than a line");
    if (memcmp(bytes, connection->reply + connection->received, (size_t)count) != 0)
        fail("\"%.*s\" came back for \"%.*s\"", (int)count - 1, bytes, (int)line_bytes - 1, connection->line);
    connection->received += (size_t)count;
    return connection->received == line_bytes;
}

int main(int argc, char **argv) {
    return make_round_trips(argc, argv, sizeof(Connection), "c:t:w:n:l:p:u:", "[-l bytes] ");
}
