// What the programs of phase 0 share: their arguments, their listening socket, their messages.

#ifndef TCP_H
#define TCP_H

#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

// Prints `program: sentence` on standard error; the sentence is given as for printf.
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Complains and ends the program: with status 1 for a start that fails, 2 for wrong usage.
noreturn void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The port that a text names, or 0 when it names none from 1 to 65535.
uint16_t parse_port(const char *text);

// A socket that listens on the port at every IPv4 address of the machine; ends the program when there
// can't be one. `flags` are further flags of socket(2), such as SOCK_NONBLOCK.
int open_listener(uint16_t port, int flags);

// Prints the line that tells where the program listens.
void announce(uint16_t port);

// Reverses a message where it stands; a newline at its end stays at its end.
void reverse_message(char *message, size_t length);

// Sends all the bytes, and waits while the peer takes none. Returns 0, or -1 with errno set.
int send_all(int fd, const char *bytes, size_t length);

#endif
