/* TCP, and as much of WebSocket (RFC 6455) as a client of a server on this machine needs. */
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { textFrame = 0x81, closeOpcode = 8, mask = 0x80 };

int lineOpen(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("no more sockets: %s (see ulimit -n)", strerror(errno));
  int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
    fail("cannot connect to port %d: %s", port, strerror(errno));
  return fd;
}

bool lineSendBytes(int fd, const char *bytes, size_t many) {
  ssize_t sent = send(fd, bytes, many, MSG_NOSIGNAL);
  if (sent < 0) return false;
  if ((size_t)sent < many) fail("a small frame was sent in part");
  return true;
}

bool lineSendText(int fd, const char *text, size_t bytes) {
  unsigned char head[8] = {textFrame};
  size_t headBytes = 2;
  if (bytes < 126) head[1] = (unsigned char)(mask | bytes);
  else {
    head[1] = mask | 126;
    head[2] = (unsigned char)(bytes >> 8);
    head[3] = (unsigned char)bytes;
    headBytes = 4;
  }
  /* A mask of zeros leaves the text as it is. */
  char frame[headBytes + 4 + bytes];
  memcpy(frame, head, headBytes);
  memset(frame + headBytes, 0, 4);
  memcpy(frame + headBytes + 4, text, bytes);
  return lineSendBytes(fd, frame, sizeof frame);
}

size_t lineFrames(char *bytes, size_t many, void (*each)(void *, char *, size_t), void *context) {
  size_t used = 0;
  while (many - used >= 2) {
    unsigned char *head = (unsigned char *)bytes + used;
    size_t headBytes = 2;
    uint64_t length = head[1] & 0x7f;
    if (length >= 126) {
      size_t digits = length == 126 ? 2 : 8;
      headBytes += digits;
      if (many - used < headBytes) break;
      length = 0;
      for (size_t i = 0; i < digits; i++) length = length << 8 | head[2 + i];
    }
    if (many - used < headBytes + length) break;
    used += headBytes + length;
    if ((head[0] & 0x0f) != closeOpcode) each(context, (char *)head + headBytes, length);
  }
  return used;
}
