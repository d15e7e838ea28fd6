/*
 * A minimal broker: queues in memory, made when they are first spoken of, for any number of AMQP 1.0 clients.
 *
 *   cc broker.c -o broker $(pkg-config --cflags --libs ferrion)
 *   ./broker PORT
 *
 * What is sent to an address waits there until a receiver has taken it. What a receiver gives back, or has not settled when
 * its link ends, is at the head of the queue again. A dynamic address is a queue with a name that is made up. What says that it
 * is of another format than AMQP messages (2.8.11) is passed on unread, as that format.
 */
#include "drive.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>

#define MOST_CONNECTIONS 256

/* Payloads from this size are kept where they were read, and sent on from there. To copy a smaller one costs less than the rest
 * of what was read with it. */
#define SHARED 4096

struct message {
  ferrion_message_t *content; /* NULL: the octets are of another format */
  uint8_t *octets;
  size_t len;
  uint32_t format;
  ferrion_delivery_t delivery; /* while a receiver has it */
  struct message *next;
};

struct queue {
  char name[64];
  struct message *first, **last;
  struct queue *next;
};

/* A link to a receiver: where it takes from, and what it has and has not settled. */
struct outlet {
  int connection;
  ferrion_link_t link;
  struct queue *queue;
  struct message *unsettled;
  struct outlet *next;
};

static ferrion_engine_t *engines[MOST_CONNECTIONS];
static struct pollfd sockets[MOST_CONNECTIONS + 1]; /* the last one listens */
static struct queue *queues;
static struct outlet *outlets;
static ferrion_config_t *config;
static ferrion_link_config_t *link_config;
static ferrion_send_options_t *options;
static ferrion_value_t *value;

static struct queue *queue_named(const char *name) {
  struct queue *queue = queues;
  while (queue && strcmp(queue->name, name) != 0) queue = queue->next;
  if (queue) return queue;
  queue = calloc(1, sizeof *queue);
  snprintf(queue->name, sizeof queue->name, "%s", name);
  queue->last = &queue->first;
  queue->next = queues;
  return queues = queue;
}

static void forget(struct message *message) {
  ferrion_message_free(message->content);
  free(message->octets);
  free(message);
}

/* Keeps what an engine has just received. */
static ferrion_status keep(struct message *message, ferrion_engine_t *engine, const ferrion_incoming_t *incoming) {
  ferrion_bytes_t payload = incoming->payload;
  if (incoming->message_format != 0) {
    message->format = incoming->message_format;
    message->octets = malloc(payload.len ? payload.len : 1);
    message->len = payload.len;
    if (payload.len) memcpy(message->octets, payload.data, payload.len);
    return FERRION_OK;
  }
  message->content = ferrion_message_new();
  return payload.len < SHARED ? ferrion_message_decode(message->content, payload.data, payload.len)
                              : ferrion_engine_message(engine, message->content);
}

/* Puts what an engine has just received at the end of a queue. False: it is not the message that it says it is. */
static bool append(struct queue *queue, ferrion_engine_t *engine, const ferrion_incoming_t *incoming) {
  struct message *message = calloc(1, sizeof *message);
  if (keep(message, engine, incoming) != FERRION_OK) {
    forget(message);
    return false;
  }
  *queue->last = message;
  queue->last = &message->next;
  return true;
}

static void give_back(struct queue *queue, struct message *message) {
  message->next = queue->first;
  if (!queue->first) queue->last = &message->next;
  queue->first = message;
}

/* Sends a message as it came. False: not now. */
static bool pass_on(const struct outlet *outlet, struct message *message) {
  static uint64_t count;
  ferrion_engine_t *engine = engines[outlet->connection];
  const uint8_t *tag = (const uint8_t *)&count;
  ferrion_status status;
  if (message->content) {
    status = ferrion_sender_send_message(engine, outlet->link, tag, sizeof count, message->content, NULL, &message->delivery);
  } else {
    MUST(ferrion_send_options_set_message_format(options, message->format));
    status = ferrion_sender_send_with(engine, outlet->link, tag, sizeof count, message->octets, message->len, options,
                                      &message->delivery);
  }
  count++;
  return status == FERRION_OK;
}

/* Sends what waits in a queue to who has credit for it. */
static void feed(struct queue *queue) {
  for (struct outlet *outlet = outlets; outlet; outlet = outlet->next) {
    bool draining = false;
    while (outlet->queue == queue && queue->first) {
      struct message *message = queue->first;
      if (!pass_on(outlet, message)) break;
      queue->first = message->next;
      if (!queue->first) queue->last = &queue->first;
      message->next = outlet->unsettled;
      outlet->unsettled = message;
    }
    if (outlet->queue == queue && !queue->first)
      (void)ferrion_sender_is_draining(engines[outlet->connection], outlet->link, &draining);
    /* Here and below: the peer may have ended the link with the same read, and then nobody is to be told. */
    if (draining) (void)ferrion_sender_drained(engines[outlet->connection], outlet->link);
  }
}

/* A receiver said what became of a message. */
static void settle(struct outlet *outlet, const ferrion_update_t *update) {
  struct message **place = &outlet->unsettled, *message;
  if (!update->settled && update->state == FERRION_STATE_RECEIVED) return;
  while (*place && (*place)->delivery != update->delivery) place = &(*place)->next;
  if (!update->settled) (void)ferrion_sender_settle(engines[outlet->connection], outlet->link, update->delivery);
  if (!(message = *place)) return;
  *place = message->next;
  if (update->state == FERRION_STATE_ACCEPTED || update->state == FERRION_STATE_REJECTED) forget(message);
  else give_back(outlet->queue, message);
}

/* Where an outlet stands in the list; at its end if there is none for this link (or, for link 0, on this connection). */
static struct outlet **outlet_of(int connection, ferrion_link_t link) {
  struct outlet **place = &outlets;
  while (*place && ((*place)->connection != connection || (link != 0 && (*place)->link != link))) place = &(*place)->next;
  return place;
}

static void remove_outlet(struct outlet **place) {
  struct outlet *outlet = *place;
  *place = outlet->next;
  while (outlet->unsettled) {
    struct message *message = outlet->unsettled;
    outlet->unsettled = message->next;
    give_back(outlet->queue, message);
  }
  feed(outlet->queue);
  free(outlet);
}

/* The address that a peer's link speaks of. False: it has none. */
static bool address_of(ferrion_engine_t *engine, const ferrion_event_t *event, char *address, size_t room) {
  ferrion_bytes_t text;
  ferrion_status status =
      event->is_sender ? ferrion_link_remote_source(engine, event->link, FERRION_SOURCE_ADDRESS, value)
                       : ferrion_link_remote_target(engine, event->link, FERRION_TARGET_ADDRESS, value);
  if (status != FERRION_OK || ferrion_value_next(value) != FERRION_OK ||
      ferrion_value_get_bytes(value, &text) != FERRION_OK || text.len >= room)
    return false;
  memcpy(address, text.data, text.len);
  address[text.len] = 0;
  return true;
}

/* A peer attaches a link. */
static void attach(int connection, const ferrion_event_t *event) {
  static unsigned made_up;
  ferrion_engine_t *engine = engines[connection];
  bool dynamic = false, accepted;
  char address[64];
  if (!is_incoming(engine, event->link)) return;
  if (event->is_sender && ferrion_link_remote_source(engine, event->link, FERRION_SOURCE_DYNAMIC, value) == FERRION_OK) {
    MUST(ferrion_value_next(value));
    MUST(ferrion_value_get_bool(value, &dynamic));
  }
  if (dynamic) {
    snprintf(address, sizeof address, "made-up-%u", made_up++);
    accepted = ferrion_link_offer(engine, event->link, link_config) == FERRION_OK &&
               ferrion_link_config_set_source_address(link_config, address) == FERRION_OK &&
               ferrion_link_accept_with(engine, event->link, link_config) == FERRION_OK;
  } else {
    accepted = address_of(engine, event, address, sizeof address) && ferrion_link_accept(engine, event->link) == FERRION_OK;
  }
  if (!accepted) {
    refuse_link(engine, event->link, "amqp:not-found", "name a queue, with 63 octets at most");
    return;
  }
  if (event->is_sender) {
    struct outlet *outlet = calloc(1, sizeof *outlet);
    outlet->connection = connection;
    outlet->link = event->link;
    outlet->queue = queue_named(address);
    outlet->next = outlets;
    outlets = outlet;
  } else {
    (void)ferrion_receiver_set_automatic_credit(engine, event->link, 100);
  }
}

/* Messages have come: they go to the queue that the link is attached to. */
static void store(ferrion_engine_t *engine, const ferrion_event_t *event) {
  ferrion_incoming_t incoming;
  char address[64];
  if (!address_of(engine, event, address, sizeof address)) return;
  while (ferrion_receiver_next_delivery(engine, event->link, &incoming) == FERRION_OK) {
    bool is_message = incoming.aborted || append(queue_named(address), engine, &incoming);
    if (!incoming.delivery) continue;
    if (is_message) (void)ferrion_receiver_accept(engine, event->link, incoming.delivery);
    else (void)ferrion_receiver_reject(engine, event->link, incoming.delivery, "amqp:decode-error", "not a message", NULL);
  }
  feed(queue_named(address));
}

static void react(int connection, const ferrion_event_t *event) {
  ferrion_engine_t *engine = engines[connection];
  struct outlet **place = outlet_of(connection, event->link);
  ferrion_update_t update;
  switch (event->kind) {
    case FERRION_EVENT_SESSION_BEGUN: accept_session(engine, event->session); break;
    case FERRION_EVENT_LINK_ATTACHED: attach(connection, event); break;
    case FERRION_EVENT_DELIVERIES: store(engine, event); break;
    case FERRION_EVENT_FLOW:
      if (event->is_sender && *place) feed((*place)->queue);
      break;
    case FERRION_EVENT_UPDATES:
      while (*place && ferrion_link_next_update(engine, event->link, &update) == FERRION_OK) settle(*place, &update);
      if (*place) feed((*place)->queue);
      break;
    case FERRION_EVENT_LINK_DETACHED:
      (void)ferrion_link_close(engine, event->link, NULL, NULL, NULL);
      if (*place) remove_outlet(place);
      break;
    default: break;
  }
}

static void take_connection(void) {
  int fd = accept(sockets[MOST_CONNECTIONS].fd, NULL, NULL), i = 0;
  while (i < MOST_CONNECTIONS && engines[i]) i++;
  if (fd < 0) return;
  if (i == MOST_CONNECTIONS) {
    close(fd);
    return;
  }
  fcntl(fd, F_SETFL, O_NONBLOCK);
  engines[i] = ferrion_engine_new(FERRION_SERVER, config);
  sockets[i].fd = fd;
  MUST(ferrion_connection_open(engines[i]));
}

static void drop_connection(int i) {
  struct outlet **place;
  while (*(place = outlet_of(i, 0))) remove_outlet(place);
  ferrion_engine_free(engines[i]);
  engines[i] = NULL;
  close(sockets[i].fd);
  sockets[i].fd = -1;
}

static int listen_on(uint16_t port) {
  struct sockaddr_in here = {0};
  socklen_t size = sizeof here;
  int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  here.sin_port = htons(port);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&here, sizeof here) != 0 || listen(fd, 64) != 0) {
    perror("cannot listen");
    exit(1);
  }
  getsockname(fd, (struct sockaddr *)&here, &size);
  printf("listening on port %d\n", ntohs(here.sin_port));
  fflush(stdout);
  return fd;
}

static volatile sig_atomic_t stopping;

static void stop(int signal_number) {
  (void)signal_number;
  stopping = 1;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s PORT\n", argv[0]);
    return 2;
  }
  signal(SIGTERM, stop);
  signal(SIGINT, stop);
  config = ferrion_config_new();
  link_config = ferrion_link_config_new();
  options = ferrion_send_options_new();
  value = ferrion_value_new();
  MUST(ferrion_config_set_text(config, FERRION_CONFIG_CONTAINER_ID, "broker"));
  MUST(ferrion_config_set_number(config, FERRION_CONFIG_IDLE_TIME_OUT, 60000));
  MUST(ferrion_config_offer(config, "ANONYMOUS"));
  MUST(ferrion_config_offer_required(config, false));
  for (int i = 0; i < MOST_CONNECTIONS; i++) sockets[i].fd = -1;
  sockets[MOST_CONNECTIONS].fd = listen_on((uint16_t)atoi(argv[1]));
  sockets[MOST_CONNECTIONS].events = POLLIN;

  while (!stopping) {
    int timeout = 60000;
    for (int i = 0; i < MOST_CONNECTIONS; i++) {
      ferrion_event_t event;
      bool done;
      if (!engines[i]) continue;
      if (sockets[i].revents) (void)take(engines[i], sockets[i].fd);
      MUST(ferrion_engine_handle_timeout(engines[i], milliseconds()));
      while (ferrion_engine_poll_event(engines[i], &event) == FERRION_OK) react(i, &event);
      MUST(ferrion_engine_is_done(engines[i], &done));
      if (done) drop_connection(i);
    }
    if (sockets[MOST_CONNECTIONS].revents) take_connection();
    /* What one client said may have become output for another, so all of them are asked. */
    for (int i = 0; i < MOST_CONNECTIONS; i++) {
      ferrion_bytes_t rest;
      int wait;
      bool was_blocked;
      if (!engines[i]) continue;
      was_blocked = is_blocked(engines[i]);
      flush(engines[i], sockets[i].fd);
      bool full = ferrion_engine_transmit(engines[i], milliseconds(), &rest) == FERRION_OK;
      /* Who does not read is not read. What such a one had said before is heard when it does, and is to be looked at then. */
      sockets[i].events = (short)((is_blocked(engines[i]) ? 0 : POLLIN) | (full ? POLLOUT : 0));
      if (was_blocked && !is_blocked(engines[i])) timeout = 0;
      wait = until_deadline(engines[i]);
      if (wait >= 0 && wait < timeout) timeout = wait;
    }
    if (poll(sockets, MOST_CONNECTIONS + 1, timeout) < 0)
      for (int i = 0; i <= MOST_CONNECTIONS; i++) sockets[i].revents = 0;
  }

  for (int i = 0; i < MOST_CONNECTIONS; i++)
    if (engines[i]) drop_connection(i);
  while (queues) {
    struct queue *queue = queues;
    queues = queue->next;
    while (queue->first) {
      struct message *message = queue->first;
      queue->first = message->next;
      forget(message);
    }
    free(queue);
  }
  close(sockets[MOST_CONNECTIONS].fd);
  ferrion_value_free(value);
  ferrion_send_options_free(options);
  ferrion_link_config_free(link_config);
  ferrion_config_free(config);
  return 0;
}
