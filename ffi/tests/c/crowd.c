/* Many clients at once: crowd PORT CONNECTIONS MESSAGES. Each sends so many messages, and wants all of them accepted. */
#include "../../../bindings/c/drive.h"

#include <arpa/inet.h>
#include <sys/resource.h>

struct client {
  ferrion_engine_t *engine;
  ferrion_link_t link;
  int sent, accepted;
};

static int connect_to(uint16_t port) {
  struct sockaddr_in there = {0};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  there.sin_family = AF_INET;
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  there.sin_port = htons(port);
  if (fd < 0 || connect(fd, (struct sockaddr *)&there, sizeof there) != 0) {
    perror("cannot connect");
    exit(1);
  }
  return fd;
}

static void begin(struct client *client, const ferrion_config_t *config) {
  ferrion_link_config_t *link = ferrion_link_config_new();
  ferrion_session_t session;
  if (!(client->engine = ferrion_engine_new(FERRION_CLIENT, config))) give_up("an engine");
  MUST(ferrion_connection_open(client->engine));
  MUST(ferrion_connection_begin(client->engine, NULL, &session));
  MUST(ferrion_link_config_sender(link, "crowd", "box"));
  MUST(ferrion_session_attach_sender(client->engine, session, link, &client->link));
  ferrion_link_config_free(link);
}

static void react(struct client *client, int messages) {
  ferrion_event_t event;
  ferrion_update_t update;
  while (ferrion_engine_poll_event(client->engine, &event) == FERRION_OK) {
    if (event.kind != FERRION_EVENT_UPDATES) continue;
    while (ferrion_link_next_update(client->engine, client->link, &update) == FERRION_OK)
      client->accepted += update.state == FERRION_STATE_ACCEPTED;
    if (client->accepted == messages) MUST(ferrion_connection_close(client->engine, NULL, NULL, NULL));
  }
  while (client->sent < messages) {
    const uint8_t *tag = (const uint8_t *)&client->sent;
    if (ferrion_sender_send(client->engine, client->link, tag, sizeof client->sent, (const uint8_t *)"hello", 5, NULL) !=
        FERRION_OK)
      break;
    client->sent++;
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  uint16_t port = (uint16_t)atoi(argv[1]);
  int count = atoi(argv[2]), messages = atoi(argv[3]), running = count;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  struct client *clients = calloc((size_t)count, sizeof *clients);
  struct pollfd *sockets = calloc((size_t)count, sizeof *sockets);
  ferrion_config_t *config = ferrion_config_new();
  MUST(ferrion_config_set_text(config, FERRION_CONFIG_CONTAINER_ID, "crowd"));
  MUST(ferrion_config_login_anonymous(config));
  for (int i = 0; i < count; i++) {
    sockets[i].fd = connect_to(port);
    sockets[i].events = POLLIN;
    begin(&clients[i], config);
    flush(clients[i].engine, sockets[i].fd);
  }
  while (running > 0) {
    poll(sockets, (nfds_t)count, 1000);
    for (int i = 0; i < count; i++) {
      bool done;
      if (sockets[i].fd < 0 || !sockets[i].revents) continue;
      (void)take(clients[i].engine, sockets[i].fd);
      react(&clients[i], messages);
      flush(clients[i].engine, sockets[i].fd);
      MUST(ferrion_engine_is_done(clients[i].engine, &done));
      if (!done) continue;
      close(sockets[i].fd);
      sockets[i].fd = -1;
      running--;
    }
  }
  for (int i = 0; i < count; i++) {
    if (clients[i].accepted != messages) {
      fprintf(stderr, "client %d: %d accepted\n", i, clients[i].accepted);
      return 1;
    }
    ferrion_engine_free(clients[i].engine);
  }
  ferrion_config_free(config);
  free(clients);
  free(sockets);
  return 0;
}
