"""What all contestants have in common: the messages, what is checked of them, and the clock."""

import json
import sys
import time

HERE = "127.0.0.1"
#: How many messages may be under way.
WINDOW = 1000


def body(n, octets):
    """The payload of a message."""
    return n.to_bytes(4, "big") + bytes([n % 251]) * (octets - 4)


class Checksum:
    """What came, in order."""

    def __init__(self):
        self.sum = 0

    def add(self, body):
        # Data comes as a memoryview from some.
        body = bytes(body)
        self.sum = (self.sum * 31 + len(body) + body[3] + body[-1]) & 0xFFFFFFFF

    def of_all(self, count, octets):
        for n in range(count):
            self.add(body(n, octets))
        return self.sum


class Clock:
    """Runs from when the messages of the warm-up are accepted until all are."""

    def __init__(self, warm_up, count):
        self.warm_up, self.total = warm_up, warm_up + count
        self.accepted = 0

    def accept(self, n=1):
        """So many more were accepted, as the sender has it."""
        before, self.accepted = self.accepted, self.accepted + n
        if before < self.warm_up <= self.accepted:
            self.begin = time.monotonic()
        if self.accepted == self.total:
            self.end = time.monotonic()

    def tell(self):
        print(json.dumps({"seconds": self.end - self.begin}), flush=True)


def listening(port):
    """A receiver can be connected to."""
    print(json.dumps({"port": port}), flush=True)


def received(checksum):
    """A receiver has all it is to get."""
    print(json.dumps({"checksum": checksum.sum}), flush=True)


def arguments():
    """What the command line says: receive TOTAL, or send PORT WARM_UP COUNT OCTETS, after a name if there is more than one kind."""
    return [int(one) if one.isdigit() else one for one in sys.argv[1:]]
