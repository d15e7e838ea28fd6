/*
 * Receives messages, prints their texts, and accepts each when it is printed.
 *
 *   c++ recv.cpp -o recv $(pkg-config --cflags --libs ferrion)
 *   ./recv '~127.0.0.1' 2
 *
 * With port 0, as in '~127.0.0.1:0', a free port is taken and printed first.
 */
#include <cstdlib>
#include <ferrion.hpp>
#include <iostream>

static void run(const char *address, int count) {
  ferrion::Messenger messenger;
  /* With a window, a message is accepted when we say so, not when it is taken. */
  messenger.set_incoming_window(1);
  ferrion_subscription_t subscription = messenger.subscribe(address);
  if (uint16_t port = messenger.port(subscription)) std::cout << "listening on port " << port << std::endl;

  ferrion::Message message;
  ferrion_tracker_t tracker;
  while (count > 0) {
    messenger.recv(count);
    while (count > 0 && messenger.get(message, &tracker)) {
      if (ferrion::Bytes text = message.body_bytes()) {
        std::cout << text << std::endl;
        messenger.accept(tracker);
      } else {
        messenger.reject(tracker, "amqp:not-implemented", "only text is understood here");
      }
      count--;
    }
  }
  messenger.stop();
}

int main(int argc, char **argv) {
  if (argc != 3 || std::atoi(argv[2]) < 1) {
    std::cerr << "usage: " << argv[0] << " ADDRESS COUNT" << std::endl;
    return 2;
  }
  try {
    run(argv[1], std::atoi(argv[2]));
    return 0;
  } catch (const ferrion::Error &error) {
    std::cerr << "recv: " << error.what() << " (" << error.status_name() << ")" << std::endl;
    return 1;
  }
}
