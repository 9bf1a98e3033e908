// The floor that every server is compared with: one epoll loop, no rights, no filters, no backlog; for each event one
// write to each connection, or with `batched` one write for all events of a burst.
//
//   floor
//
// Prints `port N`. Commands on standard input: `feed RATE BURST SECONDS FIRST BATCHED` sends RATE events a second in
// bursts of BURST, numbered from FIRST, and prints `fed COUNT` when the last one was written.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mark.h"

enum { EVENT_BYTES = 200, BURST_MAX = 4096, READ_BYTES = 8192 };

static int poller, listener;
static int *open_fds, open_count, open_room;
static struct {
  bool is_on, is_batched;
  uint64_t rate, burst, count, sent, first, began;
} feed;

static void fail(const char *what) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void add(int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static void listen_anywhere(void) {
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 4096) < 0) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  add(listener);
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
}

static void accept_all(void) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    add(fd);
  }
}

static void drop(int fd) {
  for (int i = 0; i < open_count; i++) {
    if (open_fds[i] != fd) continue;
    open_fds[i] = open_fds[--open_count];
    break;
  }
  close(fd);
}

static void write_all(int fd, const char *data, size_t bytes) {
  while (bytes > 0) {
    ssize_t done = send(fd, data, bytes, MSG_NOSIGNAL);
    if (done < 0 && errno == EAGAIN) {
      struct pollfd slow = {.fd = fd, .events = POLLOUT};
      poll(&slow, 1, 1000);
      continue;
    }
    if (done < 0) return;
    data += done;
    bytes -= (size_t)done;
  }
}

static void take(int fd) {
  static char request[READ_BYTES];
  static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
                               "transfer-encoding: chunked\r\n\r\n";
  ssize_t got = recv(fd, request, sizeof request, 0);
  if (got <= 0) {
    if (got == 0 || errno != EAGAIN) drop(fd);
    return;
  }
  if (open_count == open_room) open_fds = realloc(open_fds, sizeof *open_fds * (size_t)(open_room = open_room * 2 + 64));
  open_fds[open_count++] = fd;
  write_all(fd, answer, sizeof answer - 1);
}

// The bytes of one event as a chunk: the same payload, id and framing as the other servers'.
static size_t write_event(char *to, uint64_t number, uint64_t now) {
  static char payload[EVENT_BYTES + 1];
  if (payload[0] == 0) {
    const char *start = "{\"specversion\":\"1.0\",\"type\":\"bench.event\",\"source\":\"/users/bench\",\"data\":\"";
    memset(payload, 'x', EVENT_BYTES);
    memcpy(payload, start, strlen(start));
    memcpy(payload + strlen(start), "@@", 2);
    memcpy(payload + EVENT_BYTES - 2, "\"}", 2);
  }
  char *mark = strchr(payload, '@');
  write_digits(mark + 2, MARK_NUMBER, number);
  mark[2 + MARK_NUMBER] = ' ';
  write_digits(mark + 3 + MARK_NUMBER, MARK_TIME, now);
  char body[EVENT_BYTES + 64];
  int bytes = snprintf(body, sizeof body, "id: abcdefgh-%lu\ndata: %s\n\n", number, payload);
  return (size_t)sprintf(to, "%x\r\n%s\r\n", (unsigned)bytes, body);
}

static void send_burst(void) {
  static char batch[BURST_MAX * (EVENT_BYTES + 80)];
  static size_t ends[BURST_MAX];
  uint64_t now = now_ns(), left = feed.count - feed.sent, burst = feed.burst < left ? feed.burst : left;
  size_t bytes = 0;
  for (uint64_t i = 0; i < burst; i++) ends[i] = bytes += write_event(batch + bytes, feed.first + feed.sent + i, now);
  if (feed.is_batched) {
    for (int i = 0; i < open_count; i++) write_all(open_fds[i], batch, bytes);
  } else {
    for (uint64_t event = 0; event < burst; event++) {
      size_t from = event == 0 ? 0 : ends[event - 1];
      for (int i = 0; i < open_count; i++) write_all(open_fds[i], batch + from, ends[event] - from);
    }
  }
  feed.sent += burst;
}

static void obey(void) {
  char line[256];
  ssize_t got = read(0, line, sizeof line - 1);
  if (got <= 0) exit(0);
  line[got] = 0;
  uint64_t seconds_milli;
  int batched;
  if (sscanf(line, "feed %lu %lu %lu %lu %d", &feed.rate, &feed.burst, &seconds_milli, &feed.first, &batched) != 5)
    return;
  if (feed.burst > BURST_MAX) feed.burst = BURST_MAX;
  feed.is_batched = batched != 0;
  feed.count = feed.rate * seconds_milli / 1000;
  feed.sent = 0;
  feed.began = now_ns();
  feed.is_on = true;
}

// Milliseconds until the next burst is due, rounded up: a spinning floor would use CPU that is not delivery.
static int due_ms(void) {
  if (!feed.is_on) return -1;
  uint64_t due = feed.began + feed.sent * 1000000000ull / feed.rate, now = now_ns();
  return due <= now ? 0 : (int)((due - now + 999999) / 1000000);
}

int main(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  poller = epoll_create1(0);
  add(0);
  listen_anywhere();
  for (struct epoll_event events[256];;) {
    int got = epoll_wait(poller, events, 256, due_ms());
    for (int i = 0; i < got; i++) {
      int fd = events[i].data.fd;
      if (fd == 0) obey();
      else if (fd == listener) accept_all();
      else take(fd);
    }
    if (feed.is_on && due_ms() == 0) send_burst();
    if (!feed.is_on || feed.sent < feed.count) continue;
    feed.is_on = false;
    printf("fed %lu\n", feed.sent);
    fflush(stdout);
  }
}
