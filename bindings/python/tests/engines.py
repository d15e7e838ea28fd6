"""Two engines that talk in memory, in a time of their own."""

import unittest

from ferrion.engine import *


class Engines(unittest.TestCase):
    def setUp(self):
        self.now = 1000.0
        #: Links that the client attached, as the server has them.
        self.attached = []

    def clock(self):
        return self.now

    def pair(self, client=None, server=None):
        """A client and a server, neither of them opened."""
        self.client = Engine.client(client or Config("client"), self.clock)
        self.server = Engine.server(server or Config("server"), self.clock)

    def opened(self, client=None, server=None):
        """The same, opened; nothing has travelled yet."""
        self.pair(client, server)
        self.client.open()
        self.server.open()

    def pump(self):
        """Carries what there is in both directions."""
        moved = True
        while moved:
            moved = False
            for source, target in ((self.client, self.server), (self.server, self.client)):
                while data := source.to_send():
                    target.receive(data)
                    moved = True

    def serve(self, credit=100, accept=None):
        """What servers do about sessions and links. Answers the other events."""
        rest = []
        for event in self.server.events():
            if event.kind is EventKind.SESSION_BEGUN:
                event.session.accept()
            elif event.kind is EventKind.LINK_ATTACHED and event.link.is_incoming:
                self.attached.append(event.link)
                event.link.accept(accept and accept(event.link.offer()))
                if isinstance(event.link, Receiver) and credit:
                    event.link.set_automatic_credit(credit)
            else:
                rest.append(event)
        return rest

    def work(self, **how):
        """Lets both talk until neither has anything to say. Answers what happened: at the server, and at the client."""
        server, client = [], []
        while True:
            self.pump()
            news = self.serve(**how), list(self.client.events())
            server += news[0]
            client += news[1]
            before = self.client.peek(), self.server.peek()
            if before == (None, None) and not any(news):
                return server, client

    def sender(self, credit=100, **settings):
        """A sender of the client's, and the receiver that the server has for it."""
        sender = self.client.begin().attach_sender("queue", **settings)
        self.work(credit=credit)
        return sender, self.attached[-1]

    def receiver(self, **settings):
        """A receiver of the client's, and the sender that the server has for it."""
        receiver = self.client.begin().attach_receiver("queue", **settings)
        self.work()
        return receiver, self.attached[-1]
