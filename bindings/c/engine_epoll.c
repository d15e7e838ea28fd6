/*
 * A server with thousands of connections on two threads: it takes every message that arrives. Linux.
 *
 *   cc engine_epoll.c -o engine_epoll -pthread $(pkg-config --cflags --libs ferrion)
 *   ./engine_epoll PORT
 *
 * Each engine is made, used and freed by one thread, so nothing is locked. Both threads wait for the one listening socket;
 * whoever accepts a connection keeps it. SIGTERM or SIGINT ends the server, which tells what it has done.
 */
#include "drive.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>

#define THREADS 2

/* A connection: its engine and its socket. */
struct connection {
  ferrion_engine_t *engine;
  int fd;
  struct connection *next, *previous;
};

/* What a thread has for itself. */
struct worker {
  pthread_t thread;
  int epoll, listener, stop;
  const ferrion_config_t *config;
  struct connection connections; /* the head of a ring */
  unsigned long accepted, messages;
};

static int listen_on(uint16_t port) {
  struct sockaddr_in here = {0};
  socklen_t size = sizeof here;
  int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  here.sin_port = htons(port);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&here, sizeof here) != 0 || listen(fd, 1024) != 0) {
    perror("cannot listen");
    exit(1);
  }
  fcntl(fd, F_SETFL, O_NONBLOCK);
  getsockname(fd, (struct sockaddr *)&here, &size);
  printf("listening on port %d\n", ntohs(here.sin_port));
  fflush(stdout);
  return fd;
}

static void watch(struct worker *worker, int fd, uint32_t events, void *what) {
  struct epoll_event event = {0};
  event.events = events;
  event.data.ptr = what;
  if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
    perror("epoll_ctl");
    exit(1);
  }
}

static void open_connection(struct worker *worker, int fd) {
  struct connection *connection = calloc(1, sizeof *connection);
  /* A configuration is for one thread at a time: each has its own. */
  connection->engine = ferrion_engine_new(FERRION_SERVER, worker->config);
  connection->fd = fd;
  connection->next = worker->connections.next;
  connection->previous = &worker->connections;
  connection->next->previous = connection;
  worker->connections.next = connection;
  MUST(ferrion_connection_open(connection->engine));
  fcntl(fd, F_SETFL, O_NONBLOCK);
  watch(worker, fd, EPOLLIN | EPOLLOUT | EPOLLET, connection);
  worker->accepted++;
}

static void close_connection(struct connection *connection) {
  connection->next->previous = connection->previous;
  connection->previous->next = connection->next;
  close(connection->fd);
  ferrion_engine_free(connection->engine);
  free(connection);
}

static void answer(struct worker *worker, ferrion_engine_t *engine, const ferrion_event_t *event) {
  ferrion_incoming_t incoming;
  switch (event->kind) {
    case FERRION_EVENT_SESSION_BEGUN: accept_session(engine, event->session); break;
    case FERRION_EVENT_LINK_ATTACHED:
      if (!is_incoming(engine, event->link)) break;
      if (event->is_sender) refuse_link(engine, event->link, "amqp:not-allowed", "there is nothing to be had here");
      else accept_sender(engine, event->link);
      break;
    case FERRION_EVENT_DELIVERIES:
      while (ferrion_receiver_next_delivery(engine, event->link, &incoming) == FERRION_OK) {
        worker->messages++;
        /* The sender may have settled it by now. */
        if (incoming.delivery) (void)ferrion_receiver_accept(engine, event->link, incoming.delivery);
      }
      break;
    case FERRION_EVENT_LINK_DETACHED: (void)ferrion_link_close(engine, event->link, NULL, NULL, NULL); break;
    default: break;
  }
}

/* Answers what has happened. False: nothing has. */
static bool look(struct worker *worker, ferrion_engine_t *engine) {
  ferrion_event_t events[32];
  bool any = false;
  size_t n;
  while (ferrion_engine_poll_events(engine, 32, events, &n) == FERRION_OK) {
    any = true;
    for (size_t i = 0; i < n; i++) answer(worker, engine, &events[i]);
  }
  return any;
}

/* Does all there is to do for a connection; closes it if it is over. */
static void attend(struct worker *worker, struct connection *connection) {
  bool done, more, was_blocked, again = true;
  while (again) {
    do {
      more = take(connection->engine, connection->fd);
      (void)look(worker, connection->engine);
    } while (more);
    was_blocked = is_blocked(connection->engine);
    flush(connection->engine, connection->fd);
    /* A peer that reads at last is heard again, and epoll told long ago that there is something to read. */
    again = was_blocked && !is_blocked(connection->engine);
    again |= look(worker, connection->engine);
  }
  MUST(ferrion_engine_is_done(connection->engine, &done));
  if (done) close_connection(connection);
}

/* Once a second, for all: time-outs and heartbeats need not be more exact than that. */
static void tick(struct worker *worker) {
  struct connection *connection = worker->connections.next, *next;
  for (; connection != &worker->connections; connection = next) {
    next = connection->next;
    MUST(ferrion_engine_handle_timeout(connection->engine, milliseconds()));
    attend(worker, connection);
  }
}

static void *run(void *argument) {
  struct worker *worker = argument;
  struct epoll_event ready[64];
  uint64_t next_tick = milliseconds() + 1000;
  bool running = true;
  worker->connections.next = worker->connections.previous = &worker->connections;
  worker->epoll = epoll_create1(0);
  watch(worker, worker->listener, EPOLLIN | EPOLLEXCLUSIVE, &worker->listener);
  watch(worker, worker->stop, EPOLLIN, &worker->stop);
  while (running) {
    int n = epoll_wait(worker->epoll, ready, 64, 1000);
    for (int i = 0; i < n; i++) {
      if (ready[i].data.ptr == &worker->stop) {
        running = false;
      } else if (ready[i].data.ptr == &worker->listener) {
        int fd = accept(worker->listener, NULL, NULL);
        if (fd >= 0) open_connection(worker, fd);
      } else {
        attend(worker, ready[i].data.ptr);
      }
    }
    if (milliseconds() >= next_tick) {
      tick(worker);
      next_tick = milliseconds() + 1000;
    }
  }
  while (worker->connections.next != &worker->connections) close_connection(worker->connections.next);
  close(worker->epoll);
  return NULL;
}

int main(int argc, char **argv) {
  struct worker workers[THREADS] = {{0}};
  ferrion_config_t *configs[THREADS];
  unsigned long accepted = 0, messages = 0;
  int listener, stop[2], signal_number;
  sigset_t signals;
  if (argc != 2) {
    fprintf(stderr, "usage: %s PORT\n", argv[0]);
    return 2;
  }
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  listener = listen_on((uint16_t)atoi(argv[1]));
  if (pipe(stop) != 0) return 1;

  for (int i = 0; i < THREADS; i++) {
    configs[i] = ferrion_config_new();
    MUST(ferrion_config_set_text(configs[i], FERRION_CONFIG_CONTAINER_ID, "engine_epoll"));
    MUST(ferrion_config_set_number(configs[i], FERRION_CONFIG_IDLE_TIME_OUT, 60000));
    MUST(ferrion_config_offer(configs[i], "ANONYMOUS"));
    MUST(ferrion_config_offer_required(configs[i], false));
    workers[i].listener = listener;
    workers[i].stop = stop[0];
    workers[i].config = configs[i];
    pthread_create(&workers[i].thread, NULL, run, &workers[i]);
  }
  sigwait(&signals, &signal_number);
  close(stop[1]); /* which makes the other end readable, for ever and for all */
  for (int i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    accepted += workers[i].accepted;
    messages += workers[i].messages;
    ferrion_config_free(configs[i]);
  }
  close(stop[0]);
  close(listener);
  printf("%lu connections, %lu messages\n", accepted, messages);
  return 0;
}
