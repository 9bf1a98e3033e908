// What every event carries, whatever the wire: @@<number, 10 digits> <nanoseconds of CLOCK_MONOTONIC, 16 digits>.
// Fixed in width, so that it is found with memchr and read without a parser.
#ifndef BOARDWIRE_MARK_H
#define BOARDWIRE_MARK_H

#include <stdint.h>
#include <time.h>

enum { MARK_NUMBER = 10, MARK_TIME = 16, MARK_BYTES = 2 + MARK_NUMBER + 1 + MARK_TIME };

static inline uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static inline uint64_t read_digits(const char *from, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; i++) value = value * 10 + (uint64_t)(from[i] - '0');
  return value;
}

static inline void write_digits(char *to, int count, uint64_t value) {
  for (int i = count - 1; i >= 0; i--, value /= 10) to[i] = (char)('0' + value % 10);
}

#endif
