"""Asks a question with each text, and prints the replies.

python request_client.py 127.0.0.1:5680/capitals hello world
"""

import sys

from ferrion import *

address, *texts = sys.argv[1:]
with Messenger() as messenger:
    messenger.timeout = 10
    for text in texts:
        reply = messenger.request(Message(address=address, body=text))
        print(f"{text}: {reply.body}")
