"""ferrion's Messenger, many messages at a time (`many`) or each one waited for (`one`)."""

from ferrion import ACCEPTED, Message, Messenger
from work import HERE, WINDOW, Checksum, Clock, arguments, body, listening, received


def receive(total):
    checksum, left = Checksum(), total
    with Messenger("receiver") as messenger:
        messenger.incoming_window = WINDOW
        listening(messenger.subscribe(f"~{HERE}:0").port)
        while left:
            messenger.recv(WINDOW)
            messages = messenger.get_many()
            for message in messages:
                checksum.add(message.body)
            messenger.accept()
            left -= len(messages)
    received(checksum)


def new_messages(port, begin, end, octets):
    address = f"{HERE}:{port}/queue"
    return [Message(address=address, body=body(n, octets), inferred=True) for n in range(begin, end)]


def send(kind, port, warm_up, count, octets):
    clock = Clock(warm_up, count)
    batch = WINDOW if kind == "many" else 1
    with Messenger("sender") as messenger:
        messenger.outgoing_window = WINDOW
        for begin in range(0, clock.total, batch):
            end = min(begin + batch, clock.total)
            trackers = messenger.put_many(new_messages(port, begin, end, octets))
            messenger.send()
            assert all(messenger.status(tracker) == ACCEPTED for tracker in trackers)
            clock.accept(len(trackers))
    clock.tell()


what, *rest = arguments()
if what == "receive":
    receive(*rest)
else:
    send(what, *rest)
