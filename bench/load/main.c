/*
 * load sync|stock PORT PUBLISH_PORT DEVICES VERIFY_EVERY CHANNEL [TOKEN_FILE]
 *
 * Commands on the standard input, one a line; each is answered by one line of JSON.
 *
 *     connect             all devices, some at a time; answered when each has what there is
 *     run RATE WARM MS    publishes RATE messages a second for WARM + MS ms, and waits until everybody has all of them;
 *                         times are of messages that were due after WARM
 *     publish RATE MANY   the same for devices that are away: waits until they are stored
 *     cut                 ends all connections
 *     reconnect           all devices at once; answered when each has what it missed, with the time that took each of them
 *     stall MANY          so many devices read nothing any more; 0: all read again
 */
#include "load.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { events = 1024, handshakesAtATime = 100, patienceMs = 60000, tickMs = 2 };

Setting setting;
Device *devices;
Faults faults;
Histogram latencies;
uint64_t firstMeasured;
uint64_t deliveries;
uint64_t frames;
static int poller;
static bool hasInput;

uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "load: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  exit(1);
}

static void watch(Device *device, int operation) {
  struct epoll_event event = {.events = device->state == AWAY ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = device};
  if (epoll_ctl(poller, operation, device->fd, &event) < 0) fail("epoll: %s", strerror(errno));
}

/* One turn: whatever there is to be read, then acknowledgements that are due. */
static void turn(void) {
  static struct epoll_event ready[events];
  static uint64_t tickedAt;
  int many = epoll_wait(poller, ready, events, tickMs);
  for (int i = 0; i < many; i++) {
    Device *device = ready[i].data.ptr;
    if (!device) {
      hasInput = true;
      continue;
    }
    bool wasAway = device->state == AWAY;
    if (!deviceRead(device)) {
      faults.dropped++;
      deviceCut(device);
    } else if (wasAway && device->state != AWAY) watch(device, EPOLL_CTL_MOD);
  }
  uint64_t at = now();
  if (at - tickedAt < tickMs * 1000000) return;
  tickedAt = at;
  if (setting.dialect == SYNC)
    for (int nth = 0; nth < setting.devices; nth++) deviceTick(&devices[nth], at);
}

static int countComplete(void) {
  uint64_t last = published - publisherOutcome().refused;
  int many = 0;
  for (int nth = 0; nth < setting.devices; nth++) {
    Device *device = &devices[nth];
    if (device->isStalled || (device->state == READY && device->next == last)) many++;
  }
  return many;
}

static int countUnready(int upTo) {
  int many = 0;
  for (int nth = 0; nth < upTo; nth++) many += devices[nth].state != READY && devices[nth].fd >= 0;
  return many;
}

static bool waitForAll(void) {
  for (uint64_t until = now() + patienceMs * 1000000ULL; now() < until; turn())
    if (publisherIsDone() && countComplete() == setting.devices) {
      devicesSkip(publisherOutcome().refused);
      return true;
    }
  return false;
}

static void connectAll(int atATime) {
  for (int nth = 0; nth < setting.devices; nth++) {
    while (nth >= atATime && countUnready(nth) >= atATime) turn();
    deviceConnect(&devices[nth]);
    watch(&devices[nth], EPOLL_CTL_ADD);
  }
}

static void answerFaults(bool isComplete) {
  Outcome outcome = publisherOutcome();
  /* What the others have and somebody never got is lost, too. */
  if (!isComplete)
    for (int nth = 0; nth < setting.devices; nth++)
      if (!devices[nth].isStalled) faults.lost += published - devices[nth].next;
  printf("\"stored\":%llu,\"refused\":%llu,\"lost\":%llu,\"doubled\":%llu,\"misplaced\":%llu,\"dropped\":%llu}\n",
         (unsigned long long)outcome.stored, (unsigned long long)outcome.refused, (unsigned long long)faults.lost,
         (unsigned long long)faults.doubled, (unsigned long long)faults.misplaced, (unsigned long long)faults.dropped);
  fflush(stdout);
  faults = (Faults){0};
  publisherForget();
}

static void answerTimes(const Histogram *times) {
  printf("\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f,", (double)histogramAt(times, 0.5) / 1e3,
         (double)histogramAt(times, 0.9) / 1e3, (double)histogramAt(times, 0.99) / 1e3, (double)times->most / 1e3);
}

static void connectCommand(int atATime) {
  uint64_t began = now();
  connectAll(atATime);
  bool isComplete = waitForAll();
  static Histogram times;
  times = (Histogram){0};
  for (int nth = 0; nth < setting.devices; nth++)
    if (devices[nth].completeAt) histogramAdd(&times, (devices[nth].completeAt - began) / 1000, 1);
  printf("{\"ms\":%.3f,", (double)(now() - began) / 1e6);
  answerTimes(&times);
  answerFaults(isComplete);
}

static void runCommand(double rate, uint64_t warmMs, uint64_t measuredMs) {
  latencies = (Histogram){0};
  deliveries = 0;
  frames = 0;
  firstMeasured = published + (uint64_t)(rate * (double)warmMs / 1e3);
  publisherStart(rate, (uint64_t)(rate * (double)(warmMs + measuredMs) / 1e3));
  bool isComplete = waitForAll();
  printf("{\"deliveries\":%llu,\"frames\":%llu,\"measured\":%llu,", (unsigned long long)deliveries, (unsigned long long)frames,
         (unsigned long long)latencies.total);
  answerTimes(&latencies);
  answerFaults(isComplete);
}

static void publishCommand(double rate, uint64_t many) {
  publisherStart(rate, many);
  while (!publisherIsDone()) turn();
  printf("{");
  answerFaults(true);
}

static void cutCommand(void) {
  for (int nth = 0; nth < setting.devices; nth++)
    if (devices[nth].fd >= 0) deviceCut(&devices[nth]);
  printf("{");
  answerFaults(true);
}

static void stallCommand(int many) {
  for (int nth = 0; nth < setting.devices; nth++) {
    bool stalls = nth < many;
    if (stalls == devices[nth].isStalled) continue;
    devices[nth].isStalled = stalls;
    watch(&devices[nth], stalls ? EPOLL_CTL_DEL : EPOLL_CTL_ADD);
  }
  bool isComplete = waitForAll();
  printf("{");
  answerFaults(isComplete);
}

static void obey(const char *command) {
  double rate;
  unsigned long long first, second;
  if (sscanf(command, "run %lf %llu %llu", &rate, &first, &second) == 3) runCommand(rate, first, second);
  else if (sscanf(command, "publish %lf %llu", &rate, &first) == 2) publishCommand(rate, first);
  else if (sscanf(command, "stall %llu", &first) == 1) stallCommand((int)first);
  else if (!strcmp(command, "connect\n")) connectCommand(handshakesAtATime);
  else if (!strcmp(command, "reconnect\n")) connectCommand(setting.devices);
  else if (!strcmp(command, "cut\n")) cutCommand();
  else fail("no such command: %s", command);
}

int main(int count, char **arguments) {
  if (count < 7) fail("load sync|stock PORT PUBLISH_PORT DEVICES VERIFY_EVERY CHANNEL [TOKEN_FILE]");
  setting = (Setting){.dialect = strcmp(arguments[1], "sync") ? STOCK : SYNC,
                      .port = atoi(arguments[2]),
                      .publishPort = atoi(arguments[3]),
                      .devices = atoi(arguments[4]),
                      .verifyEvery = atoi(arguments[5]),
                      .channel = arguments[6],
                      .tokenFile = arguments[7]};
  devices = calloc((size_t)setting.devices, sizeof *devices);
  for (int nth = 0; nth < setting.devices; nth++) devices[nth] = (Device){.nth = nth, .fd = -1};
  poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event input = {.events = EPOLLIN};
  epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input);
  publisherOpen();
  for (char command[256];;) {
    for (hasInput = false; !hasInput;) turn();
    if (!fgets(command, sizeof command, stdin)) return 0;
    obey(command);
  }
}
