/* One publisher: a thread, so that what devices receive does not hold it up. */
#include "load.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* So many of the latest are remembered; more are never on their way. */
enum { remembered = 1 << 22, lineBytes = messageBytes + 1, bunch = 512 };

_Atomic uint64_t published;
static uint64_t *due;
static int fd = -1;
static double rate;
static uint64_t many;
static Outcome outcome;
static atomic_bool isDone = true;

uint64_t dueAt(uint64_t n) { return due[n % remembered]; }
bool publisherIsDone(void) { return isDone; }
Outcome publisherOutcome(void) { return outcome; }
void publisherForget(void) { outcome = (Outcome){0}; }

void publisherOpen(void) {
  due = malloc(remembered * sizeof *due);
  fd = lineOpen(setting.publishPort);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  struct pollfd whenConnected = {.fd = fd, .events = POLLOUT};
  poll(&whenConnected, 1, 5000);
}

static void writeAll(const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = write(fd, bytes, count);
    if (written < 0) fail("the server takes no more messages: %s", strerror(errno));
    bytes += written;
    count -= (size_t)written;
  }
}

static void formatMessage(char *line, uint64_t n) {
  int length = snprintf(line, lineBytes, "{\"n\":%llu,\"text\":\"", (unsigned long long)n);
  memset(line + length, 'x', (size_t)(messageBytes - length - 2));
  memcpy(line + messageBytes - 2, "\"}\n", 3);
}

/* An empty line asks what became of all that came before it. */
static void askOutcome(void) {
  writeAll("\n", 1);
  char answer[128];
  size_t length = 0;
  while (length == 0 || answer[length - 1] != '\n') {
    ssize_t got = read(fd, answer + length, sizeof answer - 1 - length);
    if (got <= 0) fail("the server does not say what became of the messages");
    length += (size_t)got;
  }
  answer[length] = 0;
  unsigned long long stored, refused;
  if (sscanf(answer, "%llu %llu", &stored, &refused) != 2) fail("not an outcome: %s", answer);
  outcome = (Outcome){stored, refused};
}

static void *publish(void *nothing) {
  (void)nothing;
  static char lines[bunch * lineBytes];
  uint64_t began = now();
  uint64_t first = published;
  for (uint64_t done = 0; done < many;) {
    uint64_t next = began + (uint64_t)((double)done * 1e9 / rate);
    uint64_t at = now();
    if (next > at) {
      struct timespec until = {.tv_sec = (time_t)(next / 1000000000), .tv_nsec = (long)(next % 1000000000)};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
      continue;
    }
    size_t count = 0;
    while (count < bunch && done < many && (next = began + (uint64_t)((double)done * 1e9 / rate)) <= at) {
      due[(first + done) % remembered] = next;
      formatMessage(lines + count++ * lineBytes, first + done++);
    }
    published = first + done;
    writeAll(lines, count * lineBytes);
  }
  askOutcome();
  isDone = true;
  return NULL;
}

void publisherStart(double perSecond, uint64_t count) {
  rate = perSecond;
  many = count;
  isDone = false;
  pthread_t thread;
  if (pthread_create(&thread, NULL, publish, NULL) != 0) fail("no thread for the publisher");
  pthread_detach(thread);
}
