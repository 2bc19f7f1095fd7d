// The stream that byte-source sends and byte-sink expects. Its period is a prime number, so that a piece that
// is lost, sent twice or out of place does not look right by chance, as it would at a multiple of a page.

enum { PERIOD = 1048573 };

static inline void make_pattern(unsigned char *bytes, size_t length) {
    uint32_t state = 2463534242u;
    for (size_t i = 0; i < length; i++) {
        if (i % PERIOD == 0) state = 2463534242u;
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[i] = (unsigned char)state;
    }
}
