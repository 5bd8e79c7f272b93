/*
 * One device, of either kind.
 *
 *     AWAY ──TCP──▶ UPGRADING ──101──▶ OPENING ──"0"──▶ JOINING ──"40"──▶ SUBSCRIBING ──answer──▶ READY
 *
 * A stock device is READY once it has joined: its server puts it into the room.
 */
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

enum { readBytes = 1 << 20, retryNs = 5000000 };
/* Offset of the message before number 0; known once the first device has subscribed. */
static uint64_t base;
static bool isBaseKnown;

/* Finds `"name":` and what stands after it; NULL when it is not there. */
static const char *after(const char *text, size_t bytes, const char *name) {
  const char *found = memmem(text, bytes, name, strlen(name));
  return found ? found + strlen(name) : NULL;
}

static uint64_t numberAfter(const char *text, size_t bytes, const char *name) {
  const char *found = after(text, bytes, name);
  if (!found) fail("%s is missing in: %.*s", name, (int)(bytes < 300 ? bytes : 300), text);
  return strtoull(found, NULL, 10);
}

static void stringAfter(const char *text, size_t bytes, const char *name, char *into, size_t limit) {
  const char *found = after(text, bytes, name);
  const char *end = found ? memchr(found, '"', (size_t)(text + bytes - found)) : NULL;
  if (!end) fail("%s is missing in: %.*s", name, (int)(bytes < 300 ? bytes : 300), text);
  if ((size_t)(end - found) > limit) fail("%s is too long", name);
  memcpy(into, found, (size_t)(end - found));
  into[end - found] = 0;
}

static bool startsWith(const char *text, size_t bytes, const char *with) {
  return bytes >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

static void say(Device *device, const char *text, size_t bytes) {
  if (!lineSendText(device->fd, text, bytes)) fail("device %d cannot say: %.*s", device->nth, (int)bytes, text);
}

static const char *tokenOf(const Device *device) {
  static char (*tokens)[tokenBytes];
  if (!tokens) {
    tokens = calloc((size_t)setting.devices, tokenBytes);
    FILE *file = setting.tokenFile ? fopen(setting.tokenFile, "r") : NULL;
    for (int nth = 0; nth < setting.devices; nth++) {
      if (!file) snprintf(tokens[nth], tokenBytes, "u%d", nth);
      else if (fgets(tokens[nth], tokenBytes, file)) tokens[nth][strcspn(tokens[nth], "\n")] = 0;
      else fail("there are fewer tokens than devices");
    }
    if (file) fclose(file);
  }
  return tokens[device->nth];
}

void deviceConnect(Device *device) {
  device->fd = lineOpen(setting.port);
  device->state = AWAY;
  device->restBytes = 0;
  device->unackedBytes = 0;
  device->completeAt = 0;
}

static void upgrade(Device *device) {
  char request[256];
  int length = snprintf(request, sizeof request,
                        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bG9hZCBnZW5lcmF0b3IgIQ==\r\n\r\n",
                        setting.port);
  if (lineSendBytes(device->fd, request, (size_t)length)) device->state = UPGRADING;
}

static void join(Device *device) {
  char text[tokenBytes + 256];
  int length;
  if (setting.dialect == SYNC)
    length = snprintf(text, sizeof text, "40/sync,{\"token\":\"%s\",\"deviceId\":\"bench-%08d\",\"protocol\":1}", tokenOf(device),
                      device->nth);
  else if (device->recoveryOffset[0])
    length = snprintf(text, sizeof text, "40/bench,{\"pid\":\"%s\",\"offset\":\"%s\"}", device->recoveryId, device->recoveryOffset);
  else length = snprintf(text, sizeof text, "40/bench,{\"next\":%llu}", (unsigned long long)device->next);
  say(device, text, (size_t)length);
  device->state = JOINING;
}

static void subscribe(Device *device) {
  char position[epochBytes + 64] = "";
  if (device->hasPosition)
    snprintf(position, sizeof position, ",\"position\":{\"epoch\":\"%s\",\"offset\":%llu}", device->epoch,
             (unsigned long long)(base + device->next));
  char text[sizeof position + nameBytes + 64];
  int length = snprintf(text, sizeof text, "42/sync,1[\"subscribe\",{\"channel\":\"%s\"%s}]", setting.channel, position);
  say(device, text, (size_t)length);
  device->state = SUBSCRIBING;
}

static void subscribed(Device *device, const char *text, size_t bytes) {
  if (!after(text, bytes, "\"ok\":true")) fail("refused: %.*s", (int)bytes, text);
  uint64_t head = numberAfter(text, bytes, "\"head\":");
  if (!isBaseKnown) base = head - published;
  isBaseKnown = true;
  if (!device->hasPosition) {
    device->hasPosition = true;
    stringAfter(text, bytes, "\"epoch\":\"", device->epoch, epochBytes);
    /* The state, which comes now, holds none of the messages: they have no key. */
    device->next = 0;
  }
  device->state = READY;
}

static void arrived(uint64_t n, uint64_t at) {
  deliveries++;
  if (n < firstMeasured) return;
  uint64_t due = dueAt(n);
  histogramAdd(&latencies, at > due ? (at - due) / 1000 : 0, 1);
}

/* Every message of a frame, by its number. */
static void verify(const char *text, size_t bytes, uint64_t first, uint64_t many) {
  uint64_t expected = first;
  const char *end = text + bytes;
  for (const char *found; (found = after(text, (size_t)(end - text), "\"n\":")); text = found)
    if (strtoull(found, NULL, 10) != expected++) faults.misplaced++;
  if (expected != first + many) faults.misplaced++;
}

static void take(Device *device, const char *text, size_t bytes, uint64_t first, uint64_t many, uint64_t at) {
  frames++;
  if (first > device->next) faults.lost += first - device->next;
  if (first < device->next) faults.doubled += device->next - first;
  for (uint64_t n = first; n < first + many; n++) arrived(n, at);
  if (device->nth % setting.verifyEvery == 0) verify(text, bytes, first, many);
  device->next = first + many;
  if (device->next == published && !device->completeAt) device->completeAt = at;
}

static void syncFrame(Device *device, const char *text, size_t bytes, uint64_t at) {
  size_t head = bytes < 400 ? bytes : 400;
  uint64_t from = numberAfter(text, head, "\"from\":");
  uint64_t to = numberAfter(text, head, "\"to\":");
  stringAfter(text, head, "\"epoch\":\"", device->epoch, epochBytes);
  /* What lies below is the state of before: empty, but acknowledged like any frame. */
  if (to > base) take(device, text, bytes, from - base - 1, to - from + 1, at);
  if (device->unackedBytes == 0) device->ackDueAt = at + device->ackEveryNs;
  device->unackedBytes += bytes;
  if (device->unackedBytes >= device->ackEveryBytes) device->ackDueAt = at;
}

static void stockFrame(Device *device, const char *text, size_t bytes, uint64_t at) {
  uint64_t many = 1;
  uint64_t first = numberAfter(text, bytes, "\"n\":");
  if (startsWith(text, bytes, "[\"page\"")) many = numberAfter(text, bytes, "\"many\":");
  take(device, text, bytes, first, many, at);
  /* With recovery the server adds where it stands, as the last argument. */
  if (text[bytes - 2] != '"') return;
  const char *last = memrchr(text, ',', bytes);
  stringAfter(last, (size_t)(text + bytes - last), ",\"", device->recoveryOffset, nameBytes);
}

static void event(Device *device, const char *text, size_t bytes, uint64_t at) {
  if (setting.dialect == STOCK) stockFrame(device, text, bytes, at);
  else if (startsWith(text, bytes, "[\"messages\"")) syncFrame(device, text, bytes, at);
  else if (startsWith(text, bytes, "[\"pace\"")) {
    device->ackEveryNs = numberAfter(text, bytes, "\"ackEveryMs\":") * 1000000;
    device->ackEveryBytes = numberAfter(text, bytes, "\"ackEveryBytes\":");
  } else fail("unexpected: %.*s", (int)bytes, text);
}

static void packet(void *context, char *text, size_t bytes) {
  Device *device = context;
  const char *space = setting.dialect == SYNC ? "/sync," : "/bench,";
  size_t head = 2 + strlen(space);
  if (bytes == 1 && text[0] == '2') say(device, "3", 1);
  else if (bytes > 0 && text[0] == '0') join(device);
  else if (bytes < head || memcmp(text + 2, space, head - 2) != 0) fail("unexpected: %.*s", (int)bytes, text);
  else if (startsWith(text, bytes, "42")) event(device, text + head, bytes - head, now());
  else if (startsWith(text, bytes, "40")) {
    const char *id = after(text, bytes, "\"pid\":\"");
    if (device->recoveryOffset[0] && (!id || !startsWith(id, (size_t)(text + bytes - id), device->recoveryId)))
      fail("the server recovered nothing for device %d", device->nth);
    if (id) stringAfter(text, bytes, "\"pid\":\"", device->recoveryId, nameBytes);
    if (setting.dialect == SYNC) subscribe(device);
    else device->state = READY;
  } else if (startsWith(text, bytes, "43")) {
    if (device->state == SUBSCRIBING) subscribed(device, text, bytes);
  } else fail("refused: %.*s", (int)bytes, text);
}

bool deviceRead(Device *device) {
  static char bytes[readBytes + 1];
  if (device->state == AWAY) upgrade(device);
  if (device->restBytes >= readBytes / 2) fail("a frame is larger than %d bytes", readBytes / 2);
  memcpy(bytes, device->rest, device->restBytes);
  ssize_t got = recv(device->fd, bytes + device->restBytes, readBytes - device->restBytes, 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  size_t many = device->restBytes + (size_t)got;
  size_t used = 0;
  if (device->state == UPGRADING) {
    bytes[many] = 0;
    const char *end = strstr(bytes, "\r\n\r\n");
    if (end && !startsWith(bytes, many, "HTTP/1.1 101")) fail("no WebSocket: %s", bytes);
    if (end) used = (size_t)(end + 4 - bytes), device->state = OPENING;
  }
  if (device->state > UPGRADING) used += lineFrames(bytes + used, many - used, packet, device);
  device->restBytes = many - used;
  device->rest = realloc(device->rest, device->restBytes ? device->restBytes : 1);
  memcpy(device->rest, bytes + used, device->restBytes);
  return true;
}

void deviceTick(Device *device, uint64_t at) {
  if (device->state != READY || device->unackedBytes == 0 || device->isStalled || at < device->ackDueAt) return;
  char text[nameBytes + 128];
  int length = snprintf(text, sizeof text, "42/sync,[\"ack\",{\"channel\":\"%s\",\"offset\":%llu}]", setting.channel,
                        (unsigned long long)(base + device->next));
  if (lineSendText(device->fd, text, (size_t)length)) device->unackedBytes = 0;
  else device->ackDueAt = at + retryNs;
}

void devicesSkip(uint64_t many) {
  base -= many;
  for (int nth = 0; nth < setting.devices; nth++) devices[nth].next += many;
}

void deviceCut(Device *device) {
  close(device->fd);
  device->fd = -1;
  device->state = AWAY;
}
