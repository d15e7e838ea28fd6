"""python-qpid-proton's blocking API, each message waited for. It only connects: the receiver is that of the handlers."""

from proton import Message
from proton.utils import BlockingConnection
from work import HERE, Clock, arguments, body


def send(port, warm_up, count, octets):
    clock = Clock(warm_up, count)
    connection = BlockingConnection(f"{HERE}:{port}")
    sender = connection.create_sender("queue")
    for n in range(clock.total):
        delivery = sender.send(Message(body=body(n, octets), inferred=True))
        assert delivery.remote_state == delivery.ACCEPTED
        clock.accept()
    connection.close()
    clock.tell()


what, *rest = arguments()
send(*rest)
