/* What the program written by ffi/tests/abi/misuse needs: memory that ends where it says, one of every object, and the
 * states that these can be in. The objects that need nothing to be made are in the program itself: make() and unmake(). */
#ifndef MISUSE_H
#define MISUSE_H

#include "check.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Memory after which there is nothing ---------------------------------------------------------------------- */

enum { AREAS = 16, AREA = 128 * 1024, ROOMS = 0xAA };

static uint8_t *areas[AREAS];
static struct { const uint8_t *at; size_t len; } given[AREAS];

/* The last `len` octets of an area: whoever goes on reading or writing is stopped by the processor, wherever it is that he
 * does it. There is one for each parameter of a call. */
static uint8_t *last(int area, size_t len) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  CHECK(area < AREAS && len <= AREA);
  if (!areas[area]) {
    uint8_t *memory = mmap(NULL, AREA + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    CHECK(memory != MAP_FAILED && mprotect(memory + AREA, page, PROT_NONE) == 0);
    areas[area] = memory;
  }
  return areas[area] + AREA - len;
}

static inline const uint8_t *octets(int area, const char *these, size_t len) {
  return memcpy(last(area, len), these, len);
}

static inline const char *text(int area, const char *this) {
  return memcpy(last(area, strlen(this) + 1), this, strlen(this) + 1);
}

/* Text of 70,000 letters. */
static inline const char *long_text(int area) {
  size_t len = 70000;
  char *letters = memset(last(area, len + 1), 'x', len);
  letters[len] = 0;
  return letters;
}

/* Room for results, and for no more. */
static inline void *room(int area, size_t len) {
  given[area].at = memset(last(area, len), ROOMS, len);
  given[area].len = len;
  return last(area, len);
}

#define ROOM(area, type, n) ((type *)room(area, (n) * sizeof(type)))

/* ---- Answers -------------------------------------------------------------------------------------------------- */

/* A call that fails has written no result. */
static void judge(bool failed) {
  for (int i = 0; i < AREAS; i++) {
    for (size_t j = 0; failed && j < given[i].len; j++) CHECK(given[i].at[j] == ROOMS && "no result of a call that fails");
    given[i].len = 0;
  }
}

/* Any answer will do, if it is one that the header knows, and tells what is wrong. */
static void any(ferrion_status status) {
  CHECK(strcmp(ferrion_status_name(status), "FERRION_UNKNOWN_STATUS") != 0);
  CHECK(status != FERRION_PANIC && status != FERRION_POISONED && status != FERRION_OTHER && status != FERRION_BUSY);
  CHECK(status == FERRION_OK || *ferrion_last_error());
  judge(status != FERRION_OK);
}

static inline void is(ferrion_status wanted, ferrion_status status) {
  any(status);
  IS(wanted, status);
}

static inline void refused(ferrion_status status) {
  any(status);
  CHECK(status != FERRION_OK);
}

/* ---- Engines -------------------------------------------------------------------------------------------------- */

/* What has become of the objects before they are misused. */
enum world {
  ALIVE,            /* engines are open and have one of everything; a messenger that did nothing yet */
  UNOPENED,         /* engines that were never opened; a messenger that talked to itself, and has been stopped since */
  SESSION_ENDED,    /* the session ended, and all in it; a passive messenger */
  LINKS_CLOSED,     /* the links were closed; a messenger that talks to itself */
  CLOSED,           /* the connection was closed, and the peer's close came; a passive messenger that was stopped */
  CLOSED_BY_PEER,   /* the peer closed the connection */
  CLOSING,          /* the connection was closed, and the peer has not answered */
  FAILED,           /* the peer sent what is no AMQP */
  CUT,              /* the transport ended */
  WORLDS
};

struct side {
  ferrion_engine_t *engine, *peer;
  ferrion_session_t session;
  ferrion_link_t sender, receiver;
  ferrion_delivery_t outgoing, incoming;
};

static struct side own, other;
/* Handles of objects of `own` that have ended. */
static ferrion_session_t stale_session;
static ferrion_link_t stale_sender, stale_receiver;
static ferrion_delivery_t stale_outgoing, stale_incoming;

static void carry(ferrion_engine_t *from, ferrion_engine_t *to) {
  ferrion_bytes_t piece;
  while (ferrion_engine_transmit(from, 1, &piece) == FERRION_OK) {
    OK(ferrion_engine_recv(to, 1, piece.data, piece.len));
    OK(ferrion_engine_advance(from, 1, piece.len));
  }
}

/* What the peer does: it accepts everything, and sends a message or two. */
static void answer(ferrion_engine_t *peer) {
  ferrion_event_t event;
  while (ferrion_engine_poll_event(peer, &event) == FERRION_OK) {
    if (event.kind == FERRION_EVENT_SESSION_BEGUN) any(ferrion_session_accept(peer, event.session, NULL));
    if (event.kind == FERRION_EVENT_LINK_ATTACHED) {
      any(ferrion_link_accept(peer, event.link));
      if (!event.is_sender) any(ferrion_receiver_set_credit(peer, event.link, 10));
    }
    if (event.kind == FERRION_EVENT_FLOW && event.is_sender) {
      any(ferrion_sender_send(peer, event.link, BYTES("t"), BYTES("payload"), NULL));
      any(ferrion_sender_send(peer, event.link, BYTES("u"), BYTES("payload"), NULL));
    }
  }
}

static void talk(struct side *side) {
  for (int i = 0; i < 3; i++) {
    carry(side->engine, side->peer);
    answer(side->peer);
    carry(side->peer, side->engine);
  }
}

static void drop_events(ferrion_engine_t *engine) {
  ferrion_event_t event;
  while (ferrion_engine_poll_event(engine, &event) == FERRION_OK) continue;
}

static void begin(struct side *side, bool open) {
  ferrion_config_t *plain = ferrion_config_new();
  ferrion_link_config_t *link = ferrion_link_config_new();
  ferrion_incoming_t incoming;
  side->engine = ferrion_engine_new(FERRION_CLIENT, plain);
  side->peer = ferrion_engine_new(FERRION_SERVER, plain);
  if (open) {
    OK(ferrion_connection_open(side->engine));
    OK(ferrion_connection_open(side->peer));
    OK(ferrion_connection_begin(side->engine, NULL, &side->session));
    OK(ferrion_link_config_sender(link, "sender", "there"));
    OK(ferrion_session_attach_sender(side->engine, side->session, link, &side->sender));
    OK(ferrion_link_config_receiver(link, "receiver", "there"));
    OK(ferrion_session_attach_receiver(side->engine, side->session, link, &side->receiver));
    OK(ferrion_receiver_set_credit(side->engine, side->receiver, 10));
    talk(side);
    OK(ferrion_sender_send(side->engine, side->sender, BYTES("tag"), BYTES("payload"), &side->outgoing));
    OK(ferrion_receiver_next_delivery(side->engine, side->receiver, &incoming));
    side->incoming = incoming.delivery;
  }
  ferrion_link_config_free(link);
  ferrion_config_free(plain);
}

static void end(struct side *side) {
  ferrion_engine_free(side->engine);
  ferrion_engine_free(side->peer);
}

/* Makes the handles that are stale. */
static void spoil(void) {
  ferrion_link_config_t *link = ferrion_link_config_new();
  ferrion_incoming_t incoming;
  OK(ferrion_sender_send(own.engine, own.sender, BYTES("old"), BYTES("payload"), &stale_outgoing));
  OK(ferrion_sender_settle(own.engine, own.sender, stale_outgoing));
  OK(ferrion_receiver_next_delivery(own.engine, own.receiver, &incoming));
  stale_incoming = incoming.delivery;
  OK(ferrion_receiver_accept(own.engine, own.receiver, stale_incoming));
  OK(ferrion_connection_begin(own.engine, NULL, &stale_session));
  OK(ferrion_link_config_sender(link, "old sender", "there"));
  OK(ferrion_session_attach_sender(own.engine, stale_session, link, &stale_sender));
  OK(ferrion_link_config_receiver(link, "old receiver", "there"));
  OK(ferrion_session_attach_receiver(own.engine, stale_session, link, &stale_receiver));
  talk(&own);
  OK(ferrion_session_end(own.engine, stale_session, NULL, NULL, NULL));
  talk(&own);
  drop_events(own.engine);
  ferrion_link_config_free(link);
}

static void change(struct side *side, enum world world) {
  ferrion_engine_t *engine = side->engine;
  switch (world) {
    case SESSION_ENDED:
      OK(ferrion_session_end(engine, side->session, NULL, NULL, NULL));
      break;
    case LINKS_CLOSED:
      OK(ferrion_link_close(engine, side->sender, NULL, NULL, NULL));
      OK(ferrion_link_close(engine, side->receiver, NULL, NULL, NULL));
      break;
    case CLOSED:
    case CLOSING:
      OK(ferrion_connection_close(engine, "amqp:internal-error", "enough", NULL));
      break;
    case CLOSED_BY_PEER:
      OK(ferrion_connection_close(side->peer, "amqp:internal-error", "enough", NULL));
      break;
    case FAILED:
      talk(side);
      OK(ferrion_engine_recv(engine, 1, BYTES("\0\0\0\7 what is no frame")));
      break;
    case CUT:
      OK(ferrion_engine_recv_eof(engine, 1));
      break;
    default:
      return;
  }
  if (world != CLOSING && world != CUT) talk(side);
  /* So that what has ended is forgotten. */
  drop_events(engine);
}

/* ---- Messengers ----------------------------------------------------------------------------------------------- */

static ferrion_messenger_t *messenger;
static ferrion_interrupter_t *interrupter;
static ferrion_tracker_t tracker, stale_tracker;
static ferrion_subscription_t subscription;
static ferrion_request_t request;

/* The messenger sends itself a message by way of a port, and has one that is not settled and a request under way. */
static void talk_to_itself(void) {
  ferrion_message_t *message = ferrion_message_new();
  char address[64];
  uint16_t port;
  size_t n = 0;
  OK(ferrion_messenger_set_incoming_window(messenger, 10));
  OK(ferrion_messenger_set_outgoing_window(messenger, 10));
  OK(ferrion_messenger_subscribe(messenger, "~127.0.0.1:0", &subscription));
  OK(ferrion_messenger_subscription_port(messenger, subscription, &port));
  snprintf(address, sizeof address, "127.0.0.1:%u/box", (unsigned)port);
  OK(ferrion_message_set_address(message, address));
  OK(ferrion_messenger_put(messenger, message, &stale_tracker));
  OK(ferrion_messenger_settle(messenger, stale_tracker, 0));
  OK(ferrion_messenger_put(messenger, message, NULL));
  any(ferrion_messenger_recv(messenger, 10));
  for (int turns = 0; n < 2; turns++) {
    CHECK(turns < 10000 && "the messages come");
    OK(ferrion_messenger_work(messenger, 1, NULL));
    OK(ferrion_messenger_incoming(messenger, &n));
  }
  OK(ferrion_messenger_get(messenger, message, &tracker));
  OK(ferrion_message_set_address(message, address));
  OK(ferrion_messenger_send_request(messenger, message, &request));
  ferrion_message_free(message);
}

static void make_messenger(enum world world) {
  messenger = ferrion_messenger_new(NULL);
  CHECK(messenger);
  interrupter = ferrion_interrupter_new(messenger);
  CHECK(interrupter);
  tracker = stale_tracker = 1;
  subscription = request = 1;
  /* Nothing shall wait here. */
  OK(ferrion_messenger_set_blocking(messenger, false));
  if (world == UNOPENED || world == LINKS_CLOSED || world == CLOSED) talk_to_itself();
  if (world == SESSION_ENDED || world == CLOSED) OK(ferrion_messenger_set_passive(messenger, true));
  if (world == UNOPENED || world == CLOSED) {
    ferrion_status stopped;
    /* What nobody accepts is not waited for. */
    OK(ferrion_messenger_set_timeout(messenger, 20));
    for (int turns = 0; (stopped = ferrion_messenger_stop(messenger)) == FERRION_WOULD_BLOCK; turns++) {
      CHECK(turns < 10000 && "it stops");
      OK(ferrion_messenger_work(messenger, 1, NULL));
    }
    OK(ferrion_messenger_set_timeout(messenger, -1));
    CHECK(stopped == FERRION_OK || stopped == FERRION_UNSENT);
  }
}

/* ---- All of it ------------------------------------------------------------------------------------------------- */

static void make(void);
static void unmake(void);

/* The messenger has a world of its own: what it does there takes a moment. */
static void setup(enum world world, enum world of_messenger) {
  memset(&own, 0, sizeof own);
  memset(&other, 0, sizeof other);
  make_messenger(of_messenger);
  make();
  begin(&own, world != UNOPENED);
  begin(&other, true);
  if (world != UNOPENED) spoil();
  change(&own, world);
}

static void teardown(void) {
  end(&own);
  end(&other);
  unmake();
  ferrion_interrupter_free(interrupter);
  ferrion_messenger_free(messenger);
}

/* ---- Threads --------------------------------------------------------------------------------------------------- */

typedef void misuse(void);

static void *on_another_thread(void *argument) {
  CHECK(*ferrion_last_error() == 0 && "nothing failed on this thread yet");
  (*(misuse **)argument)();
  return NULL;
}

/* Misuses on a thread of its own what belongs to this one. */
static inline void elsewhere(misuse *function) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, on_another_thread, &function) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

#endif
