/*
 * Sends a message for each text, reliably, and tells what became of each.
 *
 *   c++ send.cpp -o send $(pkg-config --cflags --libs ferrion)
 *   ./send 127.0.0.1/greetings "Hello World!" "And hello again!"
 */
#include <ferrion.hpp>
#include <iostream>
#include <vector>

static const char *outcome(ferrion_delivery_status status) {
  switch (status) {
    case FERRION_DELIVERY_ACCEPTED: return "accepted";
    case FERRION_DELIVERY_REJECTED: return "rejected";
    case FERRION_DELIVERY_RELEASED: return "released";
    case FERRION_DELIVERY_MODIFIED: return "modified";
    case FERRION_DELIVERY_ABORTED: return "aborted";
    case FERRION_DELIVERY_SETTLED: return "settled";
    case FERRION_DELIVERY_PENDING: return "pending";
    default: return "unknown";
  }
}

static int run(const char *address, const std::vector<std::string> &texts) {
  ferrion::Messenger messenger;
  /* The window makes the sending reliable: so many messages can be asked after by their trackers. */
  messenger.set_outgoing_window(texts.size());
  messenger.set_timeout(30000);

  ferrion::Message message;
  std::vector<ferrion_tracker_t> trackers;
  message.set_address(address);
  for (const std::string &text : texts) {
    message.set_body(text);
    trackers.push_back(messenger.put(message));
  }
  messenger.send();

  size_t accepted = 0;
  for (size_t i = 0; i < texts.size(); i++) {
    ferrion_delivery_status status = messenger.status(trackers[i]);
    std::cout << texts[i] << ": " << outcome(status);
    if (ferrion::Bytes reason = messenger.reason(trackers[i])) std::cout << ", " << reason;
    std::cout << std::endl;
    accepted += status == FERRION_DELIVERY_ACCEPTED;
  }
  messenger.stop();
  return accepted == texts.size() ? 0 : 1;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    std::cerr << "usage: " << argv[0] << " ADDRESS TEXT..." << std::endl;
    return 2;
  }
  try {
    return run(argv[1], std::vector<std::string>(argv + 2, argv + argc));
  } catch (const ferrion::Error &error) {
    std::cerr << "send: " << error.what() << " (" << error.status_name() << ")" << std::endl;
    return 1;
  }
}
