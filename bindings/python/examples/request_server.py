"""Answers requests: sends back each text in capitals.

python request_server.py '~127.0.0.1:5680'
"""

import sys

from ferrion import *

with Messenger() as messenger:
    messenger.incoming_window = 100
    subscription = messenger.subscribe(sys.argv[1])
    print(f"listening on port {subscription.port}", flush=True)
    request = Message()
    while True:
        messenger.recv()
        while messenger.incoming:
            tracker = messenger.get(request)
            if request.reply_to and isinstance(request.body, str):
                messenger.put(messenger.reply_to(request, request.body.upper()))
                messenger.accept(tracker)
            else:
                messenger.reject(tracker, condition="amqp:not-implemented", description="ask with a text, and a reply-to")
