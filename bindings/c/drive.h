/*
 * Drives an engine over a socket: what the examples of the engine share. There is nothing in it that another
 * program could not do in another way; the engine only sees octets and the time.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include <errno.h>
#include <ferrion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Ends the program, with what ferrion has to say. */
static inline void give_up(const char *what) {
  fprintf(stderr, "%s: %s\n", what, ferrion_last_error());
  exit(1);
}

/* A call that cannot fail unless the program is wrong, whatever the peer does: for what a peer may have in its hand there are
 * functions below, or nothing depends on it. */
#define MUST(call) \
  do { \
    if ((call) != FERRION_OK) give_up(#call); \
  } while (0)

/* Milliseconds on a clock that never goes back. */
static inline uint64_t milliseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* Writes all that the engine has to say. */
static inline void flush(ferrion_engine_t *engine, int socket) {
  ferrion_bytes_t pieces[16];
  size_t n;
  while (ferrion_engine_transmit_pieces(engine, milliseconds(), 16, pieces, &n) == FERRION_OK) {
    struct msghdr output = {0};
    output.msg_iov = (struct iovec *)pieces;
    output.msg_iovlen = n;
    ssize_t written = sendmsg(socket, &output, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    /* A socket that does not block takes the rest when it is writable again. */
    if (written < 0 && errno == EAGAIN) return;
    if (written < 0) {
      MUST(ferrion_engine_recv_eof(engine, milliseconds()));
      return;
    }
    MUST(ferrion_engine_advance(engine, milliseconds(), (size_t)written));
  }
}

/* Whether the peer is not to be read: it does not read what comes of what it says. Once it does, flush may bring events. */
static inline bool is_blocked(const ferrion_engine_t *engine) {
  bool blocked;
  MUST(ferrion_engine_is_blocked(engine, &blocked));
  return blocked;
}

/* Reads what the peer has to say, with one system call, into the engine's own buffer. False: nothing more is there, or nothing
 * more is to be read now. */
static inline bool take(ferrion_engine_t *engine, int socket) {
  ferrion_room_t room;
  ssize_t got;
  if (is_blocked(engine)) return false;
  MUST(ferrion_engine_recv_buffer(engine, 16384, &room));
  got = read(socket, room.data, room.len);
  if (got > 0) MUST(ferrion_engine_recv_filled(engine, milliseconds(), (size_t)got));
  else if (got == 0 || (errno != EINTR && errno != EAGAIN)) MUST(ferrion_engine_recv_eof(engine, milliseconds()));
  return got > 0;
}

/* Milliseconds to the engine's deadline, for poll(2) and its like; -1 if it has none. */
static inline int until_deadline(const ferrion_engine_t *engine) {
  uint64_t at, now = milliseconds();
  if (ferrion_engine_poll_timeout(engine, &at, NULL) != FERRION_OK) return -1;
  if (at <= now) return 0;
  return at - now > 60000 ? 60000 : (int)(at - now);
}

/* Writes, waits for the peer or the deadline, and reads. False: the connection is over. */
static inline bool work(ferrion_engine_t *engine, int socket) {
  struct pollfd ready = {socket, POLLIN, 0};
  bool done, was_blocked = is_blocked(engine);
  flush(engine, socket);
  MUST(ferrion_engine_is_done(engine, &done));
  if (done) return false;
  /* What the peer had said before is heard only now: there may be events. */
  if (was_blocked && !is_blocked(engine)) return true;
  if (is_blocked(engine)) ready.events = POLLOUT;
  if (poll(&ready, 1, until_deadline(engine)) > 0) (void)take(engine, socket);
  MUST(ferrion_engine_handle_timeout(engine, milliseconds()));
  return true;
}

/* Answers a session that the peer begins. What a peer does may be in the way of that, and is no reason for others to suffer: it has
 * ended it again before it was looked at, or the connection; or it begins more than it lets there be channels to answer on, and
 * an end takes one too (2.5.3), so that its connection ends. */
static inline void accept_session(ferrion_engine_t *engine, ferrion_session_t session) {
  bool incoming;
  if (ferrion_session_is_incoming(engine, session, &incoming) != FERRION_OK || !incoming) return;
  if (ferrion_session_accept(engine, session, NULL) == FERRION_LIMIT)
    (void)ferrion_connection_close(engine, "amqp:resource-limit-exceeded", ferrion_last_error(), NULL);
}

/* Whether a link is the peer's, and wants an answer. */
static inline bool is_incoming(ferrion_engine_t *engine, ferrion_link_t link) {
  bool incoming;
  return ferrion_link_is_incoming(engine, link, &incoming) == FERRION_OK && incoming;
}

/* Answers a link with a refusal. If not even that can be said, there is nobody to be told: the link has ended with its session or
 * its connection. */
static inline void refuse_link(ferrion_engine_t *engine, ferrion_link_t link, const char *condition, const char *why) {
  (void)ferrion_link_refuse(engine, link, condition, why, NULL);
}

/* Answers a link by which the peer sends, and lets messages come. What cannot be accepted, as a node that is to be made up, is
 * refused. */
static inline void accept_sender(ferrion_engine_t *engine, ferrion_link_t link) {
  if (ferrion_link_accept(engine, link) == FERRION_OK)
    (void)ferrion_receiver_set_automatic_credit(engine, link, 100); /* the peer may have detached it already */
  else
    refuse_link(engine, link, "amqp:not-implemented", ferrion_last_error());
}

#endif
