// The load generator: opens SSE or WebSocket connections over loopback, looks for the mark in each event, checks that
// numbers follow each other on every connection, and files the time since the mark in a histogram.
//
//   load --port P --connections N --requests FILE [--greeting FILE] [--ready TEXT] [--websocket] [--inflight N]
//        [--rate N] [--first N] [--stalled PERCENT] [--nice N]
//
// FILE of --requests holds one or more requests, each ended by a NUL byte, used in turn. --greeting is sent when the
// head of the answer has come. A connection is ready when TEXT was seen, or without one when its head has come.
// Prints one line of JSON when all are ready, and one for each `stop` or `look`. Commands on standard input:
//   go N    counts from zero, spins, at the priority of --nice: it lets those through who have real work; the next number of each connection must be N (0: whatever comes first)
//   look    prints the counts
//   stop    prints the counts, stops spinning
//   cpu P   prints the CPU that process P has used, to the nanosecond
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mark.h"

enum { CARRY = 64, READ_BYTES = 256 * 1024, HEAD_MAX = 4096, PORTS_PER_SOURCE = 20000 };

enum state { CLOSED, CONNECTING, HEAD, BODY };

struct connection {
  int fd;
  enum state state;
  bool is_ready, is_stalled;
  uint64_t last, count;
  char carry[CARRY];
  int carried;
  // WebSocket: where in a frame the stream stands.
  uint64_t frame_left;
  unsigned char frame_head[14];
  int frame_have, opcode;
  unsigned char ping[125];
  int ping_have;
  char *head;
  int head_have;
};

static struct {
  int port, connections, inflight, rate, stalled_percent, nice;
  uint64_t first;
  bool is_websocket;
  const char *ready;
  char *requests, *greeting;
  size_t requests_bytes, greeting_bytes;
  const char *request[65536];
  size_t request_bytes[65536];
  int request_count;
} options = {.connections = 1, .inflight = 256};

// Sub-buckets of 1/32 of a power of two: 3 % exact.
enum { SUB = 32, BUCKETS = 64 * SUB };
static uint64_t histogram[BUCKETS], worst;
static uint64_t deliveries, gaps, duplicates, bytes_read, refused, lost;
static int started, waiting, ready, open_now;
static uint64_t began, last_head, last_ready, cpu_at_go;
static struct connection *all;
static int poller;
static bool is_spinning, is_told, has_gone;
static char *buffer;

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int bucket_of(uint64_t ns) {
  if (ns < SUB) return (int)ns;
  int power = 63 - __builtin_clzll(ns);
  return (power - 4) * SUB + (int)((ns >> (power - 5)) & (SUB - 1));
}

static double bucket_ms(int bucket) {
  if (bucket < SUB) return bucket / 1e6;
  int power = bucket / SUB + 4;
  return (double)((1ull << power) + ((uint64_t)(bucket % SUB) + 1) * (1ull << (power - 5))) / 1e6;
}

static double percentile_ms(double share) {
  uint64_t wanted = (uint64_t)(share * (double)deliveries), seen = 0;
  for (int i = 0; i < BUCKETS; i++) {
    seen += histogram[i];
    if (seen > wanted) return bucket_ms(i);
  }
  return (double)worst / 1e6;
}

static uint64_t own_cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void tell(const char *what) {
  uint64_t least = UINT64_MAX, most = 0;
  for (int i = 0; i < started; i++) {
    if (all[i].is_stalled || all[i].state != BODY) continue;
    if (all[i].count < least) least = all[i].count;
    if (all[i].count > most) most = all[i].count;
  }
  printf("{\"what\":\"%s\",\"open\":%d,\"ready\":%d,\"refused\":%lu,\"lost\":%lu,\"deliveries\":%lu,\"gaps\":%lu,"
         "\"duplicates\":%lu,\"bytes\":%lu,\"least\":%lu,\"most\":%lu,\"p50Ms\":%.4f,\"p90Ms\":%.4f,\"p99Ms\":%.4f,"
         "\"p999Ms\":%.4f,\"maxMs\":%.4f,\"cpuMs\":%.3f,\"lastHeadMs\":%.3f,\"lastReadyMs\":%.3f}\n",
         what, open_now, ready, refused, lost, deliveries, gaps, duplicates, bytes_read, least == UINT64_MAX ? 0 : least,
         most, percentile_ms(0.5), percentile_ms(0.9), percentile_ms(0.99), percentile_ms(0.999), (double)worst / 1e6,
         (double)(own_cpu_ns() - cpu_at_go) / 1e6, (double)(last_head - began) / 1e6,
         (double)(last_ready - began) / 1e6);
  fflush(stdout);
}

static void watch(struct connection *c, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(poller, operation, c->fd, &event) < 0) fail("epoll_ctl");
}

static void end(struct connection *c, bool was_refused) {
  if (!c->is_ready) waiting--;
  if (was_refused) {
    if (refused++ == 0 && c->head != NULL) fprintf(stderr, "load: refused: %.300s\n", c->head);
  } else {
    if (lost++ == 0) fprintf(stderr, "load: ended by the server, behind: %.*s\n", c->carried, c->carry);
    open_now--;
  }
  close(c->fd);
  free(c->head);
  c->head = NULL;
  c->state = CLOSED;
  c->is_ready = true;
}

static void start_one(void) {
  struct connection *c = &all[started];
  int index = started++;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) fail("socket");
  int on = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A reset at the end leaves no port waiting behind.
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  c->is_stalled = index % 100 < options.stalled_percent;
  // Else the kernel lets the buffer of a reader that sleeps grow up to tcp_rmem, often 32 MB, and nobody is ever slow.
  int room = 128 * 1024;
  if (c->is_stalled) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  struct sockaddr_in source = {.sin_family = AF_INET};
  source.sin_addr.s_addr = htonl(0x7f000001u + (uint32_t)(index / PORTS_PER_SOURCE));
  if (bind(c->fd, (struct sockaddr *)&source, sizeof source) < 0) fail("bind");
  struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->state = CONNECTING;
  c->last = options.first > 0 ? options.first - 1 : 0;
  c->head = calloc(1, HEAD_MAX + 1);
  waiting++;
  if (connect(c->fd, (struct sockaddr *)&target, sizeof target) < 0 && errno != EINPROGRESS) fail("connect");
  watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void send_all(struct connection *c, const void *data, size_t bytes) {
  if (send(c->fd, data, bytes, MSG_NOSIGNAL) != (ssize_t)bytes) end(c, c->state != BODY);
}

static void is_now_ready(struct connection *c) {
  c->is_ready = true;
  waiting--;
  ready++;
  last_ready = now_ns();
}

// RFC 6455, 5.5.3: a pong says what the ping said. The gateway tells by it how far its client has read.
static void answer_ping(struct connection *c) {
  unsigned char pong[6 + sizeof c->ping] = {0x8a, 0x80 | (unsigned char)c->ping_have};
  memcpy(pong + 6, c->ping, (size_t)c->ping_have);
  send_all(c, pong, 6 + (size_t)c->ping_have);
}

// The pings of engine.io, one character of text, are answered when they have come whole, which they practically always do.
static void answer_text(struct connection *c, const unsigned char *payload, uint64_t length) {
  static const unsigned char three[] = {0x81, 0x81, 0, 0, 0, 0, '3'};
  if (length == 1 && *payload == '2') send_all(c, three, sizeof three);
}

static void walk_frames(struct connection *c, const unsigned char *at, size_t left) {
  while (left > 0 && c->state == BODY) {
    if (c->frame_left > 0) {
      uint64_t step = c->frame_left < left ? c->frame_left : left;
      if (c->opcode == 9 && c->ping_have + step <= sizeof c->ping) {
        memcpy(c->ping + c->ping_have, at, step);
        c->ping_have += (int)step;
        if (step == c->frame_left) answer_ping(c);
      }
      c->frame_left -= step;
      at += step;
      left -= step;
      continue;
    }
    c->frame_head[c->frame_have++] = *at++;
    left--;
    int code = c->frame_have > 1 ? c->frame_head[1] & 0x7f : 0;
    int wanted = c->frame_have < 2 ? 2 : code == 126 ? 4 : code == 127 ? 10 : 2;
    if (c->frame_have < wanted) continue;
    uint64_t length = (uint64_t)code;
    if (code > 125) {
      length = 0;
      for (int i = 2; i < wanted; i++) length = length << 8 | c->frame_head[i];
    }
    c->opcode = c->frame_head[0] & 15;
    c->frame_have = 0;
    c->frame_left = length;
    c->ping_have = 0;
    if (c->opcode == 9 && length == 0) answer_ping(c);
    if (c->opcode == 1 && left > 0) answer_text(c, at, length);
  }
}

static void take_mark(struct connection *c, const char *mark, uint64_t now) {
  uint64_t number = read_digits(mark + 2, MARK_NUMBER);
  uint64_t sent = read_digits(mark + 3 + MARK_NUMBER, MARK_TIME);
  if (c->last > 0 || options.first == 1) {
    if (number <= c->last) duplicates++;
    else gaps += number - c->last - 1;
  }
  if (number > c->last) c->last = number;
  c->count++;
  deliveries++;
  uint64_t took = now > sent ? now - sent : 0;
  if (took > worst) worst = took;
  histogram[bucket_of(took)]++;
}

// `fresh` lies in the buffer with room for what the last read left over in front of it.
static void take_body(struct connection *c, char *fresh, size_t bytes, uint64_t now) {
  bytes_read += bytes;
  if (options.is_websocket) walk_frames(c, (unsigned char *)fresh, bytes);
  if (c->state != BODY) return;
  char *from = fresh - c->carried, *to = fresh + bytes;
  memcpy(from, c->carry, (size_t)c->carried);
  if (!c->is_ready && memmem(from, (size_t)(to - from), options.ready, strlen(options.ready)) != NULL) is_now_ready(c);
  char *rest = from;
  for (char *at = from; (at = memchr(at, '@', (size_t)(to - at))) != NULL;) {
    if (to - at < MARK_BYTES) break;
    if (at[1] != '@') {
      at++;
      continue;
    }
    take_mark(c, at, now);
    rest = at += MARK_BYTES;
  }
  c->carried = (int)(to - rest < CARRY - 1 ? to - rest : CARRY - 1);
  memcpy(c->carry, to - c->carried, (size_t)c->carried);
}

static void take_head(struct connection *c, char *fresh, size_t bytes, uint64_t now) {
  size_t room = (size_t)(HEAD_MAX - c->head_have), part = bytes < room ? bytes : room;
  memcpy(c->head + c->head_have, fresh, part);
  int before = c->head_have;
  c->head_have += (int)part;
  char *stop = memmem(c->head, (size_t)c->head_have, "\r\n\r\n", 4);
  if (stop == NULL) {
    if (c->head_have == HEAD_MAX) end(c, true);
    return;
  }
  size_t used = (size_t)(stop + 4 - c->head) - (size_t)before;
  if (memcmp(c->head + 9, options.is_websocket ? "101" : "200", 3) != 0) {
    end(c, true);
    return;
  }
  free(c->head);
  c->head = NULL;
  c->state = BODY;
  open_now++;
  last_head = now_ns();
  if (options.greeting_bytes > 0) send_all(c, options.greeting, options.greeting_bytes);
  if (c->state == BODY && *options.ready == 0) is_now_ready(c);
  if (c->state == BODY && used < bytes) take_body(c, fresh + used, bytes - used, now);
}

static void take(struct connection *c, uint32_t events) {
  if (c->state == CONNECTING) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      end(c, true);
      return;
    }
    c->state = HEAD;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
    int which = (int)((c - all) % options.request_count);
    send_all(c, options.request[which], options.request_bytes[which]);
    return;
  }
  // A stalled one is told of its end only.
  if (c->is_stalled && has_gone && c->state == BODY) {
    end(c, false);
    return;
  }
  if (c->state == CLOSED || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  ssize_t got = recv(c->fd, buffer + CARRY, READ_BYTES, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    end(c, c->state != BODY);
    return;
  }
  uint64_t now = now_ns();
  if (c->state == HEAD) take_head(c, buffer + CARRY, (size_t)got, now);
  else take_body(c, buffer + CARRY, (size_t)got, now);
}

static void go(uint64_t first) {
  deliveries = gaps = duplicates = bytes_read = worst = 0;
  memset(histogram, 0, sizeof histogram);
  options.first = first;
  for (int i = 0; i < started; i++) {
    all[i].count = 0;
    all[i].last = first > 0 ? first - 1 : 0;
    if (all[i].is_stalled && all[i].state == BODY) watch(&all[i], EPOLL_CTL_MOD, 0);
  }
  cpu_at_go = own_cpu_ns();
  is_spinning = has_gone = true;
  setpriority(PRIO_PROCESS, 0, options.nice);
}

// The CPU clock of another process; /proc counts in hundredths of a second.
static void tell_cpu(long pid) {
  struct timespec t;
  if (clock_gettime((clockid_t)((~(unsigned)pid << 3) | 2), &t) < 0) t = (struct timespec){0};
  printf("{\"what\":\"cpu\",\"ms\":%.6f}\n", (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6);
  fflush(stdout);
}

static void obey(void) {
  static char line[256];
  static int have;
  ssize_t got = read(0, line + have, sizeof line - 1 - (size_t)have);
  if (got <= 0) exit(0);
  have += (int)got;
  line[have] = 0;
  for (char *stop; (stop = strchr(line, '\n')) != NULL;) {
    *stop = 0;
    if (strncmp(line, "go ", 3) == 0) go(strtoull(line + 3, NULL, 10));
    if (strncmp(line, "cpu ", 4) == 0) tell_cpu(atol(line + 4));
    if (strcmp(line, "look") == 0) tell("look");
    if (strcmp(line, "stop") == 0) {
      is_spinning = false;
      // Only root may; others stay as they are.
      setpriority(PRIO_PROCESS, 0, 0);
      tell("stop");
    }
    have -= (int)(stop + 1 - line);
    memmove(line, stop + 1, (size_t)have + 1);
  }
}

static char *read_file(const char *name, size_t *bytes) {
  FILE *file = fopen(name, "rb");
  if (file == NULL) fail(name);
  size_t room = 64 * 1024;
  char *text = malloc(room);
  *bytes = 0;
  for (size_t got; (got = fread(text + *bytes, 1, room - *bytes, file)) > 0;) {
    *bytes += got;
    if (*bytes == room) text = realloc(text, room *= 2);
  }
  fclose(file);
  return text;
}

static void read_options(int count, char **words) {
  options.ready = "";
  for (int i = 1; i < count; i++) {
    const char *name = words[i], *value = i + 1 < count ? words[i + 1] : "";
    if (strcmp(name, "--websocket") == 0) {
      options.is_websocket = true;
      continue;
    }
    i++;
    if (strcmp(name, "--port") == 0) options.port = atoi(value);
    else if (strcmp(name, "--connections") == 0) options.connections = atoi(value);
    else if (strcmp(name, "--inflight") == 0) options.inflight = atoi(value);
    else if (strcmp(name, "--rate") == 0) options.rate = atoi(value);
    else if (strcmp(name, "--first") == 0) options.first = strtoull(value, NULL, 10);
    else if (strcmp(name, "--nice") == 0) options.nice = atoi(value);
    else if (strcmp(name, "--stalled") == 0) options.stalled_percent = atoi(value);
    else if (strcmp(name, "--ready") == 0) options.ready = value;
    else if (strcmp(name, "--requests") == 0) options.requests = read_file(value, &options.requests_bytes);
    else if (strcmp(name, "--greeting") == 0) options.greeting = read_file(value, &options.greeting_bytes);
    else {
      fprintf(stderr, "load: unknown option %s\n", name);
      exit(2);
    }
  }
  for (size_t at = 0; at < options.requests_bytes && options.request_count < 65536;) {
    options.request[options.request_count] = options.requests + at;
    size_t length = strnlen(options.requests + at, options.requests_bytes - at);
    options.request_bytes[options.request_count++] = length;
    at += length + 1;
  }
  if (options.request_count == 0) {
    fprintf(stderr, "load: no requests\n");
    exit(2);
  }
}

static void raise_file_limit(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur >= (rlim_t)options.connections + 16) return;
  fprintf(stderr, "load: %d connections, but only %lu files may be open (ulimit -n)\n", options.connections,
          (unsigned long)files.rlim_cur);
  exit(3);
}

// As many as may wait for their answer at once, no faster than the rate.
static void start_some(void) {
  while (started < options.connections && waiting < options.inflight) {
    if (options.rate > 0 && (double)started * 1e9 / options.rate > (double)(now_ns() - began)) return;
    start_one();
  }
}

int main(int count, char **words) {
  read_options(count, words);
  raise_file_limit();
  all = calloc((size_t)options.connections, sizeof *all);
  buffer = malloc(CARRY + READ_BYTES);
  poller = epoll_create1(0);
  struct epoll_event events[1024] = {{.events = EPOLLIN, .data.ptr = NULL}};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, 0, &events[0]) < 0) fail("standard input");
  began = now_ns();
  for (;;) {
    if (started < options.connections) start_some();
    bool is_connecting = started < options.connections || waiting > 0;
    if (!is_connecting && !is_told) {
      is_told = true;
      tell("ready");
    }
    int got = epoll_wait(poller, events, 1024, is_spinning || is_connecting ? 0 : 200);
    if (got < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < got; i++) {
      if (events[i].data.ptr == NULL) obey();
      else take(events[i].data.ptr, events[i].events);
    }
  }
}
