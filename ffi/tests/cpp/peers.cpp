/* Peers that talk: two engines in memory, with links of both kinds; messengers over loopback, whose calls wait or do not. */
#include <thread>
#include <vector>

#include "check.hpp"

using ferrion::Bytes;
using ferrion::Config;
using ferrion::Engine;
using ferrion::LinkConfig;
using ferrion::Message;
using ferrion::Messenger;

static const uint64_t now = 1000;

static Engine engine(ferrion_side side, const char *container) {
  Config config;
  config.set_text(FERRION_CONFIG_CONTAINER_ID, container);
  config.set_number(FERRION_CONFIG_IDLE_TIME_OUT, 30000);
  config.set_limit(FERRION_LIMIT_HANDSHAKE_TIME, 5000);
  if (side == FERRION_CLIENT) {
    config.login_plain("user", "password");
    config.login_external();
    config.login_anonymous();
  } else {
    config.offer("ANONYMOUS");
    config.offer_required(true);
  }
  return Engine(side, config);
}

static bool carry(Engine &from, Engine &to) {
  bool any = false;
  while (Bytes octets = from.transmit(now)) {
    /* Both ways to hand octets over. */
    if (octets.size() > 100) {
      ferrion_room_t room = to.recv_buffer(octets.size());
      std::memcpy(room.data, octets.data(), octets.size());
      to.recv_filled(now, octets.size());
    } else {
      to.recv(now, octets);
    }
    from.advance(now, octets.size());
    any = true;
  }
  return any;
}

static void talk(Engine &client, Engine &server) {
  while (carry(client, server) | carry(server, client)) {
  }
}

/* What happened, up to an event of this kind. */
static ferrion_event_t until(Engine &engine, ferrion_event kind) {
  ferrion_event_t event;
  do CHECK(engine.poll_event(event));
  while (event.kind != kind);
  return event;
}

/* A message there and another way back; every outcome; links that are refused, detached and closed; the end. */
static void engines() {
  Engine client = engine(FERRION_CLIENT, "client"), server = engine(FERRION_SERVER, "server");
  client.open();
  server.open();
  const ferrion_session_t session = client.begin();
  talk(client, server);
  const ferrion_session_t at_server = until(server, FERRION_EVENT_SESSION_BEGUN).session;
  server.accept(at_server);
  talk(client, server);
  CHECK(until(client, FERRION_EVENT_SESSION_BEGUN).session == session);

  LinkConfig config = LinkConfig::sender("letters", "box");
  config.set_number(FERRION_LINK_MAX_MESSAGE_SIZE, 1000000);
  ferrion::Sender out = client.sender(client.attach_sender(session, config));
  talk(client, server);
  ferrion::Receiver in = server.receiver(until(server, FERRION_EVENT_LINK_ATTACHED).link);
  in.accept();
  talk(client, server);
  CHECK(until(client, FERRION_EVENT_LINK_ATTACHED).link == out.id());
  CHECK(out.remote_address() == "box" && !in.remote_address());

  Message message;
  message.set_body(std::string(200, 'x'));
  CHECK(out.credit() == 0 && !out.send("t0", message) && !out.send("t0", Bytes("x")));
  in.set_credit(2);
  talk(client, server);
  until(client, FERRION_EVENT_FLOW);
  CHECK(in.credit() == 2 && out.credit() == 2);
  in.set_automatic_credit(10);
  talk(client, server);
  CHECK(out.credit() == 10);

  ferrion_delivery_t first, second;
  CHECK(out.send("t1", message, &first) && out.send("t2", message.encode(), &second) && out.send("t3", message));
  ferrion::SendOptions settled;
  ferrion::check(ferrion_send_options_set_settled(settled.get(), true));
  ferrion_delivery_t none = 1;
  CHECK(out.send("t4", message, settled, &none) && none == 0 && out.send("t5", Bytes("as is"), settled));
  talk(client, server);
  until(server, FERRION_EVENT_DELIVERIES);
  ferrion_incoming_t incoming;
  Message got;
  CHECK(in.next_delivery(incoming) && Bytes(incoming.tag) == "t1");
  server.message(got);
  CHECK(got.body_bytes() == message.body_bytes());
  in.accept(incoming.delivery);
  CHECK(in.next_delivery(incoming) && Bytes(incoming.payload) == message.encode());
  in.reject(incoming.delivery, "amqp:not-allowed", "not this one");
  CHECK(in.next_delivery(incoming));
  in.release(incoming.delivery);
  CHECK(in.next_delivery(incoming) && Bytes(incoming.tag) == "t4");
  CHECK(in.next_delivery(incoming) && Bytes(incoming.payload) == "as is" && !in.next_delivery(incoming));
  talk(client, server);
  until(client, FERRION_EVENT_UPDATES);
  ferrion_update_t update;
  CHECK(out.next_update(update) && update.delivery == first && update.state == FERRION_STATE_ACCEPTED);
  CHECK(out.next_update(update) && update.delivery == second && update.state == FERRION_STATE_REJECTED);
  CHECK(out.next_update(update) && update.state == FERRION_STATE_RELEASED && !out.next_update(update));

  /* Settled without waiting for the sender, with a state or without. */
  CHECK(out.send("t6", message) && out.send("t7", message));
  talk(client, server);
  ferrion::Value accepted;
  ferrion::check(ferrion_value_put_accepted(accepted.get()));
  for (const ferrion_state state : {FERRION_STATE_ACCEPTED, FERRION_STATE_NONE}) {
    CHECK(in.next_delivery(incoming));
    if (state == FERRION_STATE_ACCEPTED) in.settle_at_once(incoming.delivery, accepted);
    else in.settle_at_once(incoming.delivery);
    thrown(FERRION_STALE_HANDLE, [&] { in.settle_at_once(incoming.delivery); });
    talk(client, server);
    CHECK(out.next_update(update) && update.state == state && update.settled && !out.next_update(update));
  }
  CHECK(out.send("t5", message, &first));
  out.settle(first);
  thrown(FERRION_STALE_HANDLE, [&] { out.settle(first); });
  thrown(FERRION_WRONG_KIND, [&] { client.receiver(out.id()).set_credit(1); });
  /* What is no delivery is refused before anything is sent. */
  thrown(FERRION_INVALID_ARGUMENT, [&] { out.send("a tag that is longer than 32 octets", message); });

  /* The other direction, and a link that nobody wants. */
  const ferrion_link_t taken = client.attach_receiver(session, LinkConfig::receiver("back", "replies"));
  const ferrion_link_t refused = client.attach_receiver(session, LinkConfig::receiver("no", "nothing"));
  talk(client, server);
  ferrion::Sender back = server.sender(until(server, FERRION_EVENT_LINK_ATTACHED).link);
  back.accept();
  ferrion::Link unwanted = server.link(until(server, FERRION_EVENT_LINK_ATTACHED).link);
  unwanted.refuse("amqp:not-found", "there is no such box");
  talk(client, server);
  CHECK(until(client, FERRION_EVENT_LINK_DETACHED).link == refused);
  client.link(refused).close();
  out.detach();
  client.link(taken).close("amqp:internal-error", "enough");
  talk(client, server);
  CHECK(until(server, FERRION_EVENT_LINK_DETACHED).link == unwanted.id());
  CHECK(until(server, FERRION_EVENT_LINK_DETACHED).link == in.id());
  in.detach();
  until(server, FERRION_EVENT_LINK_DETACHED);
  back.close();
  client.end(session);
  talk(client, server);
  until(server, FERRION_EVENT_SESSION_ENDED);

  uint64_t at;
  CHECK(client.poll_timeout(at) && at > now);
  CHECK(!client.is_blocked());
  client.handle_timeout(now);
  CHECK(!client.is_done() && !client.failure());
  client.close("amqp:connection:forced", "the end");
  talk(client, server);
  until(server, FERRION_EVENT_REMOTE_CLOSE);
  talk(client, server);
  CHECK(client.is_done() && server.is_done() && !client.poll_timeout(at));
}

static void engines_that_fail() {
  Engine alone = engine(FERRION_CLIENT, "alone");
  alone.recv_eof(now);
  CHECK(alone.failure());
  ferrion_event_t event;
  until(alone, FERRION_EVENT_DISCONNECTED);
  CHECK(!alone.poll_event(event));
  Config gone;
  const Config taken(std::move(gone));
  const ferrion::Error none = thrown(FERRION_OTHER, [&] { Engine nothing(FERRION_CLIENT, gone); });
  CHECK(std::strstr(none.what(), "NULL"));
  /* Nobody is left to free it but the second owner. */
  Engine other(alone.release());
  CHECK(other.failure() && !alone.get());
}

static std::string address(const Messenger &receiver, ferrion_subscription_t subscription) {
  return "127.0.0.1:" + std::to_string(receiver.port(subscription)) + "/test";
}

/* No call waits: one thread works for both in turn. */
static void messengers_that_do_not_wait() {
  Messenger sender("sender"), receiver;
  CHECK(sender.name() == "sender" && receiver.name());
  sender.set_blocking(false);
  receiver.set_blocking(false);
  sender.set_outgoing_window(10);
  receiver.set_incoming_window(10);
  receiver.set_max_frame_size(4096);
  receiver.set_all_partial_octets(1 << 20);
  CHECK(receiver.max_frame_size() == 4096 && receiver.all_partial_octets() == 1 << 20);
  sender.set_reconnect(ferrion::Reconnect());
  sender.start();
  const std::string there = address(receiver, receiver.subscribe("~127.0.0.1:0", ferrion::SubscribeOptions()));
  sender.route("friend", there);
  sender.rewrite("%", "rewritten");

  Message message, got;
  message.set_address("friend");
  std::vector<ferrion_tracker_t> trackers;
  for (const char *text : {"accepted", "rejected", "released"}) {
    message.set_body(text);
    trackers.push_back(sender.put(message));
  }
  CHECK(sender.outgoing() == 3 && !sender.send());
  CHECK(!receiver.get(got) && !receiver.recv());
  bool worked = false;
  auto turn = [&] {
    static int turns = 0;
    CHECK(turns++ < 10000);
    worked = sender.work(1) || worked;
    receiver.work(1);
  };
  while (receiver.incoming() < 3) turn();
  CHECK(worked && receiver.recv());
  ferrion_tracker_t tracker;
  CHECK(receiver.get(got, &tracker) && got.body_bytes() == "accepted" && got.address() == "rewritten");
  receiver.accept(tracker);
  CHECK(receiver.get(got, &tracker));
  receiver.reject(tracker, "amqp:not-allowed", "not this one");
  CHECK(receiver.get(got, &tracker) && got.body_bytes() == "released");
  receiver.release(tracker);
  while (!sender.send()) turn();
  CHECK(sender.status(trackers[0]) == FERRION_DELIVERY_ACCEPTED && !sender.reason(trackers[0]));
  CHECK(sender.status(trackers[1]) == FERRION_DELIVERY_REJECTED);
  CHECK(sender.reason(trackers[1]).str().find("not this one") != std::string::npos);
  CHECK(sender.status(trackers[2]) == FERRION_DELIVERY_RELEASED);
  sender.settle(trackers[2], FERRION_CUMULATIVE);
  while (!sender.stop()) turn();
  while (!receiver.stop()) turn();
  CHECK(sender.stopped());
}

/* Calls that wait: a request and its reply, a refusal that the peer has a name for, a time that is over, an interrupt. */
static void messengers_that_wait() {
  Messenger server, client;
  client.set_timeout(60000);
  server.set_timeout(60000);
  server.set_incoming_window(1);
  client.set_credentials(nullptr, nullptr);
  const std::string there = address(server, server.subscribe("~127.0.0.1:0"));
  std::thread serving([&] {
    Message request, reply;
    ferrion_tracker_t tracker;
    server.recv(1);
    CHECK(server.get(request, &tracker));
    server.reply_to(tracker, request, reply);
    reply.set_body("reply to " + request.body_bytes().str());
    server.put(reply);
    server.accept(tracker);
    server.send();
    server.recv(1);
    CHECK(server.get(request, &tracker));
    server.reject(tracker, "amqp:not-found", "nobody here");
    /* Until it is interrupted. */
    thrown(FERRION_INTERRUPTED, [&] { server.recv(1); });
  });
  ferrion::Interrupter interrupter(server);
  Message question, answer;
  question.set_address(there);
  question.set_body("question");
  client.request(question, answer);
  CHECK(answer.body_bytes() == "reply to question");
  const ferrion::Error refused = thrown(FERRION_REMOTE, [&] { client.request(question, answer); });
  CHECK(std::string(refused.condition()) == "amqp:not-found" && std::strstr(refused.what(), "nobody here"));
  interrupter.interrupt();
  serving.join();

  const ferrion_subscription_t left = client.subscribe("~127.0.0.1:0");
  CHECK(client.port(left) != 0 && client.unsubscribe(left) && client.port(left) == 0);
  client.set_timeout(0);
  client.subscribe(there);
  thrown(FERRION_TIMEOUT, [&] { client.recv(); });
  client.interrupt();
  client.set_timeout(-1);
  thrown(FERRION_INTERRUPTED, [&] { client.recv(); });
}

static void messengers_that_refuse() {
  Messenger messenger;
  thrown(FERRION_CERTIFICATE, [&] { messenger.set_certificate("/nowhere.pem", "/nowhere.pem"); });
  thrown(FERRION_CERTIFICATE, [&] { messenger.set_trusted_certificates("/nowhere.pem"); });
  thrown(FERRION_ADDRESS, [&] { messenger.put(Message()); });
  thrown(FERRION_UNKNOWN_TRACKER, [&] { messenger.accept(77); });
  CHECK(messenger.status(77) == FERRION_DELIVERY_UNKNOWN);
  /* An interrupter outlives its messenger. */
  ferrion::Interrupter interrupter(ferrion_interrupter_new(messenger.get()));
  Messenger moved(messenger.release());
  moved = Messenger("another");
  CHECK(moved.name() == "another");
  interrupter.interrupt();
}

int main() {
  engines();
  engines_that_fail();
  messengers_that_do_not_wait();
  messengers_that_wait();
  messengers_that_refuse();
  return 0;
}
