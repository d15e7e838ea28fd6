"""A messenger in a loop of the script's own, around selectors: prints the messages that come, and sends the lines that are typed.

python selectors_loop.py '~127.0.0.1:5680' 127.0.0.1:5681
"""

import os
import selectors
import sys

from ferrion import *

listen, to = sys.argv[1:]
messenger = Messenger()
print(f"listening on port {messenger.subscribe(listen).port}", flush=True)
messenger.passive = True

# Everything that the script waits for is in one place: its input, the messenger, and time.
selector = selectors.DefaultSelector()
selector.register(messenger, selectors.EVENT_READ)
selector.register(sys.stdin, selectors.EVENT_READ)
typed = b""
reading = True
while reading:
    messenger.recv()
    for message in messenger.get_many():
        print(message.body, flush=True)
    ready = selector.select(messenger.due_in)
    messenger.work(0)
    if any(key.fileobj is sys.stdin for key, _ in ready):
        octets = os.read(sys.stdin.fileno(), 4096)
        reading = bool(octets)
        *lines, typed = (typed + octets).split(b"\n")
        for line in lines:
            messenger.put(Message(address=to, body=line.decode()))

# The rest may wait.
messenger.passive = False
messenger.stop()
