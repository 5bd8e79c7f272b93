/*
 * The load generator: many devices on raw WebSockets, one publisher, one clock (CLOCK_MONOTONIC, in nanoseconds).
 *
 *     main.c ── commands ──▶ device.c ── frames ──▶ line.c ── bytes ──▶ server
 *                  └───────▶ publisher.c ── one line per message ──────▶ server
 *
 * A message is 200 bytes of JSON with a number n that counts up. It is late by the time since it was *due*, not since it was
 * sent, so that a publisher that was held up hides nothing (no coordinated omission).
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { messageBytes = 200, epochBytes = 64, nameBytes = 64, tokenBytes = 1024 };

typedef enum { SYNC, STOCK } Dialect;

/* What this run of the program is about; set once. */
typedef struct {
  Dialect dialect;
  int port;
  int publishPort;
  int devices;
  const char *channel;
  /* One token a line; without it, the nth device's token is u<n>. */
  const char *tokenFile;
  /* The messages of every such device are read one by one; of the others, what their frames say of themselves. */
  int verifyEvery;
} Setting;
extern Setting setting;

typedef enum { AWAY, UPGRADING, OPENING, JOINING, SUBSCRIBING, READY } DeviceState;

typedef struct {
  int nth;
  int fd;
  DeviceState state;
  bool isStalled;
  /* Bytes of a frame that has not come whole. */
  char *rest;
  size_t restBytes;
  /* The number of the message that it is to get next. */
  uint64_t next;
  uint64_t completeAt;
  /* SYNC: a position, and acknowledgements at the server's pace. */
  bool hasPosition;
  char epoch[epochBytes + 1];
  uint64_t ackEveryNs;
  uint64_t ackEveryBytes;
  uint64_t ackDueAt;
  uint64_t unackedBytes;
  /* STOCK with connection state recovery. */
  char recoveryId[nameBytes + 1];
  char recoveryOffset[nameBytes + 1];
} Device;
extern Device *devices;

/* What went wrong; all of these are to stay 0. An exchange of two messages counts as one lost and one doubled. */
typedef struct {
  uint64_t lost;
  uint64_t doubled;
  /* A verified message that is not the one its place says. */
  uint64_t misplaced;
  /* Connections that ended without being cut. */
  uint64_t dropped;
} Faults;
extern Faults faults;

typedef struct {
  uint64_t counts[64 * 64];
  uint64_t total;
  uint64_t most;
} Histogram;
void histogramAdd(Histogram *histogram, uint64_t us, uint64_t times);
/* The smallest value, to 2 %, that at least this share of all values does not exceed; in microseconds. */
uint64_t histogramAt(const Histogram *histogram, double share);

/* Deliveries of messages from firstMeasured on. */
extern Histogram latencies;
extern uint64_t firstMeasured;
extern uint64_t deliveries;
extern uint64_t frames;

uint64_t now(void);
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- line.c --- */
int lineOpen(int port);
/* Returns false when the line takes nothing just now. */
bool lineSendText(int fd, const char *text, size_t bytes);
bool lineSendBytes(int fd, const char *bytes, size_t many);
/* Calls `each` with every whole text frame; returns how many bytes were used up. */
size_t lineFrames(char *bytes, size_t many, void (*each)(void *, char *, size_t), void *context);

/* --- device.c --- */
void deviceConnect(Device *device);
/* What is there to be read. Returns false when the connection has ended. */
bool deviceRead(Device *device);
void deviceTick(Device *device, uint64_t at);
void deviceCut(Device *device);
/* So many numbers were refused by the server, and nobody is to wait for them. */
void devicesSkip(uint64_t many);

/* --- publisher.c --- */
typedef struct {
  uint64_t stored;
  uint64_t refused;
} Outcome;
void publisherOpen(void);
/* Begins to publish so many, evenly spaced; every one is due at its time, whatever became of those before. */
void publisherStart(double perSecond, uint64_t many);
/* True once every message was answered for; then `publisherOutcome` has it. */
bool publisherIsDone(void);
Outcome publisherOutcome(void);
void publisherForget(void);
/* How many were given to the server so far: the number of the next. */
extern _Atomic uint64_t published;
uint64_t dueAt(uint64_t n);
