// http-client: loads a web server with GET requests on connections that persist. Options as in round-trips.h, and -r <target>.
// Every answer has to be a 200 with a Content-Length, and its body the same as that of the first answer.

#include "round-trips.h"

#include <strings.h>

enum { LONGEST_HEAD = 4096, LONGEST_BODY = 1 << 20, PIECE = 64 * 1024 };

struct connection {
    struct common common;
    size_t head_bytes;  // bytes of the head that have come; the head is in `head` as long as it is not complete
    size_t remaining;   // bytes of the body that are to come
    size_t body_bytes;  // bytes of the body that have come
    int in_body;
    char head[LONGEST_HEAD + 1];
};

static const char *target = "/";
static char request[LONGEST_HEAD];
static size_t request_bytes;
// The body of the first answer, and how much of it is known.
static char expected[LONGEST_BODY];
static size_t expected_bytes;

static int take_option(int option, const char *value) {
    if (option != 'r') return 0;
    target = value;
    return 1;
}

static void prepare(Connection *connection) {
    (void)connection;
    if (request_bytes > 0) return;
    // What a program that is not a browser sends.
    request_bytes = (size_t)snprintf(request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: http-client\r\nAccept: */*\r\n\r\n", target);
    if (request_bytes >= sizeof request) fail("the target is too long");
}

static void send_request(Connection *connection) {
    connection->head_bytes = connection->body_bytes = 0;
    connection->in_body = 0;
    ssize_t sent = send(connection->common.fd, request, request_bytes, MSG_NOSIGNAL);
    if (sent != (ssize_t)request_bytes) fail("send: %s", sent < 0 ? strerror(errno) : "not the whole request was taken");
}

static void read_head(Connection *connection) {
    const char *head = connection->head;
    if (strncmp(head, "HTTP/1.1 200 ", 13) != 0) fail("the answer is not 200: %.*s", (int)strcspn(head, "\r"), head);
    const char *length = strcasestr(head, "\r\ncontent-length:");
    if (length == NULL) fail("the answer has no Content-Length");
    connection->remaining = strtoul(length + 17, NULL, 10);
    if (connection->remaining > LONGEST_BODY) fail("the body is too long for this program");
    connection->in_body = 1;
}

// Takes bytes of the body. Returns whether it is complete.
static int take_body(Connection *connection, const char *bytes, size_t count) {
    if (count > connection->remaining) fail("more came than the answer");
    size_t at = connection->body_bytes, known = expected_bytes > at ? expected_bytes - at : 0;
    if (known > count) known = count;
    if (memcmp(expected + at, bytes, known) != 0) fail("a body differs from the first one");
    if (known < count) {
        memcpy(expected + at + known, bytes + known, count - known);
        expected_bytes = at + count;
    }
    connection->body_bytes += count;
    connection->remaining -= count;
    return connection->remaining == 0;
}

static int receive(Connection *connection) {
    static char bytes[PIECE];
    ssize_t count = recv(connection->common.fd, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EAGAIN) return 0;
    if (count <= 0) fail("the server ended a connection: %s", count == 0 ? "end of stream" : strerror(errno));
    const char *rest = bytes;
    size_t left = (size_t)count;
    if (!connection->in_body) {
        size_t before = connection->head_bytes;
        size_t taken = left < LONGEST_HEAD - before ? left : LONGEST_HEAD - before;
        memcpy(connection->head + before, bytes, taken);
        connection->head_bytes += taken;
        connection->head[connection->head_bytes] = 0;
        char *end = strstr(connection->head, "\r\n\r\n");
        if (end == NULL && connection->head_bytes == LONGEST_HEAD) fail("the head of an answer is too long");
        if (end == NULL) return 0;
        size_t head_bytes = (size_t)(end + 4 - connection->head);
        end[2] = 0;
        read_head(connection);
        rest += head_bytes - before;
        left -= head_bytes - before;
    }
    return take_body(connection, rest, left);
}

int main(int argc, char **argv) {
    return make_round_trips(argc, argv, sizeof(Connection), "c:t:w:n:r:p:u:", "[-r target] ");
}
