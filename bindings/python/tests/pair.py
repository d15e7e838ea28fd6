"""A sender and a receiver, for the tests."""

import time
import unittest

from ferrion import *

PATIENCE = 20


class Pair(unittest.TestCase):
    """A sender and a receiver that listens on a free port, both worked by the one thread of the test."""

    def setUp(self):
        self.sender, self.receiver = Messenger("sender"), Messenger("receiver")
        self.listen()
        self.sender.timeout = self.receiver.timeout = PATIENCE

    def listen(self, port=0):
        self.port = self.receiver.subscribe(f"~127.0.0.1:{port}").port
        self.address = f"127.0.0.1:{self.port}/queue"

    def put(self, body=None, **fields):
        return self.sender.put(Message(body=body, address=self.address, **fields))

    def until(self, done):
        """Lets both work until it is so."""
        deadline = time.monotonic() + PATIENCE
        while not done():
            self.assertLess(time.monotonic(), deadline, "it takes too long")
            self.sender.work(0.001)
            self.receiver.work(0.001)

    def receive(self, n=1):
        """Receives n messages."""
        self.receiver.blocking = False
        self.receiver.recv()
        self.until(lambda: self.receiver.incoming >= n)
        self.receiver.blocking = True
        messages = [Message() for _ in range(n)]
        trackers = [self.receiver.get(message) for message in messages]
        return messages, trackers
