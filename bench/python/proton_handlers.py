"""python-qpid-proton's handlers, many messages at a time."""

from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container
from work import HERE, WINDOW, Checksum, Clock, arguments, body, listening, received


class Receive(MessagingHandler):
    def __init__(self, total):
        super().__init__(prefetch=WINDOW)
        self.checksum, self.left = Checksum(), total

    def on_start(self, event):
        self.acceptor = event.container.listen(f"{HERE}:0")
        # There is no other way to learn which port it is.
        listening(self.acceptor._selectable._delegate.getsockname()[1])

    def on_link_opening(self, event):
        # The blocking API wants to be told that its address is the right one.
        event.link.target.copy(event.link.remote_target)

    def on_message(self, event):
        self.checksum.add(event.message.body)
        self.left -= 1
        if self.left == 0:
            self.acceptor.close()

    def on_connection_closed(self, event):
        received(self.checksum)


class Send(MessagingHandler):
    def __init__(self, port, warm_up, count, octets):
        super().__init__()
        self.port, self.octets = port, octets
        self.clock, self.sent = Clock(warm_up, count), 0

    def on_start(self, event):
        event.container.create_sender(f"{HERE}:{self.port}/queue")

    def on_sendable(self, event):
        while event.sender.credit and self.sent < self.clock.total:
            event.sender.send(Message(body=body(self.sent, self.octets), inferred=True))
            self.sent += 1

    def on_accepted(self, event):
        self.clock.accept()
        if self.clock.accepted == self.clock.total:
            event.connection.close()


what, *rest = arguments()
if what == "receive":
    Container(Receive(*rest)).run()
else:
    sender = Send(*rest)
    Container(sender).run()
    sender.clock.tell()
