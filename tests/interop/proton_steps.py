#!/usr/bin/env python3
"""A peer made of Proton's engine that does what it is told, step by step. README.md has its steps and its output."""

import argparse
import json
import os
import selectors
import socket
import sys
import time

from proton import Collector, Condition, Connection, Data, Delivery, Endpoint, Link, Terminus, Transport, symbol
from proton import Handler

import notation

PATTERN = bytes(range(251))
ROUNDS = PATTERN * 4200
READ = 1 << 18
# A sender that streams has so much waiting in Proton at most.
AHEAD = 1 << 20
OUTCOMES = {
    "accepted": Delivery.ACCEPTED, "rejected": Delivery.REJECTED, "released": Delivery.RELEASED,
    "modified": Delivery.MODIFIED, "received": Delivery.RECEIVED,
}
DISTRIBUTIONS = [None, "copy", "move"]


def say(event, **fields):
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def section(size):
    """What stands before a data section of so many octets."""
    return b"\x00\x53\x75" + (bytes([0xA0, size]) if size < 256 else b"\xb0" + size.to_bytes(4, "big"))


def error_of(endpoint):
    condition = endpoint.remote_condition
    return {
        "condition": condition and condition.name, "description": condition and condition.description,
        "info": condition and condition.info and notation.from_native(condition.info),
    }


def condition_of(step):
    if "condition" not in step:
        return None
    info = step.get("info")
    return Condition(step["condition"], step.get("description"), info and notation.to_native(info))


def symbols(names):
    return names and [symbol(name) for name in names]


def names_of(value):
    """What Proton makes of one symbol, or an array or a list of them."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(name) for name in getattr(value, "elements", value)]


def note_of(data):
    data.rewind()
    return notation.from_data(data) if data.next() is not None else None


def describe_terminus(terminus):
    if terminus.type == Terminus.UNSPECIFIED:
        return None
    capabilities = note_of(terminus.capabilities)
    return {
        "address": terminus.address, "dynamic": terminus.dynamic, "node_properties": note_of(terminus.properties),
        "filter": note_of(terminus.filter), "capabilities": capabilities,
        "distribution": DISTRIBUTIONS[terminus.distribution_mode], "durable": terminus.durability,
        "timeout": terminus.timeout,
    }


def fill_terminus(terminus, kind, wanted):
    if wanted is None:
        terminus.type = Terminus.UNSPECIFIED
        return
    terminus.type = kind
    terminus.address = wanted.get("address")
    terminus.dynamic = wanted.get("dynamic", False)
    for name, data in (
        ("node_properties", terminus.properties), ("filter", terminus.filter), ("capabilities", terminus.capabilities),
    ):
        if wanted.get(name) is not None:
            notation.to_data(data, wanted[name])
    terminus.distribution_mode = DISTRIBUTIONS.index(wanted.get("distribution"))
    terminus.durability = wanted.get("durable", 0)
    terminus.timeout = wanted.get("timeout", 0)


class Incoming:
    """What came of one delivery: its text if it is short, else whether it is the pattern."""

    def __init__(self):
        self.start = b""
        self.header = None
        self.length = 0
        self.right = True

    def take(self, octets):
        if self.header is None:
            self.start += octets
            if len(self.start) < 8:
                return
            self.begin()
            octets = self.start[self.header:]
        at = self.length % len(PATTERN)
        self.right = self.right and octets == memoryview(ROUNDS)[at:at + len(octets)]
        self.length += len(octets)

    def begin(self):
        self.header = 5 if self.start[3] == 0xA0 else 8

    def fields(self):
        if self.header is None and len(self.start) > 4:
            self.begin()
            self.length = len(self.start) - self.header
            self.right = self.start[self.header:] == ROUNDS[:self.length]
        text = self.start[self.header:].decode("latin-1") if self.length <= 64 else None
        return {"length": self.length, "pattern": self.right, "text": text}


class Steps(Handler):
    """One connection. Nothing happens on it but what a step asks for, and the answers that the protocol wants."""

    def __init__(self, options, stream):
        super().__init__()
        self.wanted = json.loads(options.open)
        self.stream = stream
        self.serving = options.listen is not None
        self.connection = Connection()
        self.connection.container = options.container
        self.collector = Collector()
        self.connection.collect(self.collector)
        self.transport = Transport(Transport.SERVER if self.serving else Transport.CLIENT)
        if options.sasl != "none":
            self.transport.sasl().allowed_mechs(options.sasl.upper())
        if self.serving:
            self.transport.require_auth(False)
        if "idle" in self.wanted:
            self.transport.idle_timeout = self.wanted["idle"] / 1000
        if "max_frame" in self.wanted:
            self.transport.max_frame_size = self.wanted["max_frame"]
        if "channel_max" in self.wanted:
            self.transport.channel_max = self.wanted["channel_max"]
        self.transport.bind(self.connection)
        self.sessions = []
        self.links = {}
        self.names = {}
        self.deliveries = {}
        self.waiting = {}
        self.streaming = {}
        self.incoming = {}
        self.nodes = 0
        if not self.serving:
            self.open()

    def open(self):
        connection = self.connection
        connection.offered_capabilities = symbols(self.wanted.get("offered"))
        connection.desired_capabilities = symbols(self.wanted.get("desired"))
        if "properties" in self.wanted:
            connection.properties = notation.to_native(self.wanted["properties"])
        connection.open()

    # steps

    def take(self, step):
        getattr(self, "do_" + step["do"])(step)
        say("did", step=step["do"])

    def do_begin(self, step):
        session = self.connection.session()
        self.number(session, self.wanted.get("capacity"))
        session.open()

    def do_attach(self, step):
        session = self.sessions[step.get("session", 0)]
        link = getattr(session, step["role"])(step["name"])
        fill_terminus(link.source, Terminus.SOURCE, step.get("source", {}))
        fill_terminus(link.target, Terminus.TARGET, step.get("target", {}))
        link.snd_settle_mode = step.get("snd", Link.SND_MIXED)
        link.rcv_settle_mode = step.get("rcv", Link.RCV_FIRST)
        link.max_message_size = step.get("max_message_size", 0)
        if "properties" in step:
            link.properties = notation.to_native(step["properties"])
        self.remember(link)
        link.open()

    def do_credit(self, step):
        link = self.links[step["link"]]
        if step.get("drain"):
            link.drain(step["count"])
        else:
            link.flow(step["count"])

    def do_send(self, step):
        """Sends as soon as there is credit; a link that is drained gives the rest back when it has nothing left."""
        bodies = [text.encode("latin-1") for text in step.get("texts", [])]
        if "size" in step:
            bodies += [(PATTERN * (step["size"] // len(PATTERN) + 1))[:step["size"]]] * step.get("count", 1)
        name = step["link"]
        self.waiting[name] += [(section(len(body)) + body, step.get("settled", False)) for body in bodies]
        self.pump(self.links[name])

    def do_stream(self, step):
        """Sends one message of the pattern, never more than a little ahead of the socket."""
        link = self.links[step["link"]]
        link.delivery(link.delivery_tag())
        link.stream(section(step["size"]))
        self.streaming[step["link"]] = [0, step["size"]]
        self.stream_on(link)

    def do_disposition(self, step):
        delivery = self.deliveries[step["link"]][step["index"]]
        if "outcome" in step:
            if "condition" in step:
                delivery.local.condition = condition_of(step)
            delivery.update(OUTCOMES[step["outcome"]])
        if step.get("settle"):
            delivery.settle()

    def do_abort(self, step):
        self.deliveries[step["link"]][step["index"]].abort()

    def do_part(self, step):
        """Sends the beginning of a message that goes no further."""
        link = self.links[step["link"]]
        self.deliveries[step["link"]].append(link.delivery(link.delivery_tag()))
        link.stream(section(step["size"]) + ROUNDS[:step["size"] // 2])

    def do_detach(self, step):
        link = self.links[step["link"]]
        link.condition = condition_of(step)
        if step.get("closed", True):
            link.close()
        else:
            link.detach()

    def do_end(self, step):
        session = self.sessions[step.get("session", 0)]
        session.condition = condition_of(step)
        session.close()

    def do_close(self, step):
        self.connection.condition = condition_of(step)
        self.connection.close()

    # what the peer says

    def on_connection_remote_open(self, event):
        connection, transport = event.connection, event.transport
        say(
            "open", container=connection.remote_container, max_frame=transport.remote_max_frame_size,
            idle=int(transport.remote_idle_timeout * 1000), channel_max=transport.remote_channel_max,
            offered=names_of(connection.remote_offered_capabilities),
            desired=names_of(connection.remote_desired_capabilities),
            properties=connection.remote_properties and notation.from_native(connection.remote_properties),
        )
        if connection.state & Endpoint.LOCAL_UNINIT:
            self.open()

    def on_session_remote_open(self, event):
        session = event.session
        if session.state & Endpoint.LOCAL_UNINIT:
            self.number(session, self.wanted.get("capacity"))
            session.open()
        say("begin", session=self.sessions.index(session))

    def on_link_remote_open(self, event):
        link = event.link
        refused = False
        if link.state & Endpoint.LOCAL_UNINIT:
            refused = self.answer(link)
        say(
            "link", link=link.name, role="sender" if link.is_sender else "receiver",
            session=self.sessions.index(link.session), source=describe_terminus(link.remote_source),
            target=describe_terminus(link.remote_target), snd=link.remote_snd_settle_mode,
            rcv=link.remote_rcv_settle_mode, max_message_size=link.remote_max_message_size,
            properties=link.remote_properties and notation.from_native(link.remote_properties),
        )
        if refused:
            link.close()

    def answer(self, link):
        """Answers an attach as it asks: nodes called `nowhere` do not exist, dynamic ones are made."""
        self.remember(link)
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.snd_settle_mode = link.remote_snd_settle_mode
        link.rcv_settle_mode = link.remote_rcv_settle_mode
        link.properties = link.remote_properties
        own = link.source if link.is_sender else link.target
        refused = own.address == "nowhere"
        if refused:
            own.type = Terminus.UNSPECIFIED
            link.condition = Condition("amqp:not-found", "there is no node called nowhere")
        elif own.dynamic:
            self.nodes += 1
            own.address = "made-%d" % self.nodes
        link.open()
        return refused

    def on_link_flow(self, event):
        link = event.link
        name = self.names.get(link)
        if name is None:
            return
        if link.is_sender:
            self.pump(link)
        elif link.drain_mode and not link.draining():
            returned = link.drained()
            link.drain_mode = False
            say("drained", link=name, returned=returned, received=len(self.deliveries[name]))

    def pump(self, link):
        name = self.names[link]
        while self.waiting[name] and link.credit > 0:
            encoded, settled = self.waiting[name].pop(0)
            delivery = link.delivery(link.delivery_tag())
            link.stream(encoded)
            link.advance()
            if settled:
                delivery.settle()
            self.deliveries[name].append(delivery)
        if link.drain_mode and link.credit > 0 and not self.waiting[name] and name not in self.streaming:
            say("draining", link=name, credit=link.credit, sent=len(self.deliveries[name]))
            link.drained()

    def stream_on(self, link):
        name = self.names[link]
        if name not in self.streaming:
            return
        done, size = self.streaming[name]
        while done < size and link.session.outgoing_bytes < AHEAD:
            at = done % len(PATTERN)
            piece = ROUNDS[at:at + min(AHEAD // 2, size - done)]
            link.stream(piece)
            done += len(piece)
        self.streaming[name][0] = done
        if done == size:
            del self.streaming[name]
            self.deliveries[name].append(link.current)
            link.advance()
            say("streamed", link=name, size=size)

    def on_delivery(self, event):
        link, delivery = event.link, event.delivery
        name = self.names.get(link)
        if name is None:
            return
        if link.is_receiver and delivery == link.current and delivery.readable:
            self.receive(link, name, delivery)
        elif delivery.updated and delivery in self.deliveries[name]:
            say(
                "update", link=name, index=self.deliveries[name].index(delivery), settled=delivery.settled,
                state=getattr(delivery.remote_state, "name", str(delivery.remote_state)).lower(),
            )

    def receive(self, link, name, delivery):
        incoming = self.incoming.setdefault(name, Incoming())
        while delivery.pending and not delivery.aborted:
            incoming.take(bytes(link.recv(min(delivery.pending, AHEAD)) or b""))
        if delivery.aborted:
            del self.incoming[name]
            say("aborted", link=name, length=incoming.length)
            link.advance()
            delivery.settle()
        elif not delivery.partial:
            del self.incoming[name]
            link.advance()
            self.deliveries[name].append(delivery)
            say(
                "message", link=name, index=len(self.deliveries[name]) - 1, settled=delivery.settled,
                tag=str(delivery.tag), **incoming.fields(),
            )

    def on_link_remote_close(self, event):
        self.ended(event.link, True)

    def on_link_remote_detach(self, event):
        self.ended(event.link, False)

    def ended(self, link, closed):
        say("detach", link=self.names.get(link, link.name), closed=closed, **error_of(link))
        if not link.state & Endpoint.LOCAL_CLOSED and link in self.names:
            link.close() if closed else link.detach()

    def on_session_remote_close(self, event):
        session = event.session
        say("end", session=self.sessions.index(session), **error_of(session))
        if not session.state & Endpoint.LOCAL_CLOSED:
            session.close()

    def on_connection_remote_close(self, event):
        say("close", **error_of(event.connection))
        if not event.connection.state & Endpoint.LOCAL_CLOSED:
            event.connection.close()

    def on_transport_error(self, event):
        condition = event.transport.condition
        say("transport_error", condition=condition.name, description=condition.description)

    # objects

    def number(self, session, capacity):
        if capacity:
            session.incoming_capacity = capacity
        self.sessions.append(session)

    def remember(self, link):
        self.links[link.name] = link
        self.names[link] = link.name
        self.deliveries[link.name] = []
        self.waiting.setdefault(link.name, [])

    # octets

    def run(self):
        """Moves octets between Proton and the socket, and steps from standard input, until the socket ends."""
        os.set_blocking(0, False)
        self.stream.setblocking(False)
        selector = selectors.DefaultSelector()
        selector.register(0, selectors.EVENT_READ)
        selector.register(self.stream, selectors.EVENT_READ)
        steps = b""
        transport = self.transport
        while not transport.closed:
            deadline = transport.tick(time.monotonic())
            self.handle()
            pending, capacity = transport.pending(), transport.capacity()
            if pending < 0 and capacity < 0:
                break
            wanted = (selectors.EVENT_WRITE if pending > 0 else 0) | (selectors.EVENT_READ if capacity > 0 else 0)
            if wanted:
                selector.modify(self.stream, wanted)
            elif pending < 0:
                break
            wait = max(0, deadline - time.monotonic()) if deadline else None
            for key, ready in selector.select(wait):
                if key.fd == 0:
                    octets = os.read(0, 65536)
                    if not octets:
                        os._exit(0)
                    *lines, steps = (steps + octets).split(b"\n")
                    for line in lines:
                        if line:
                            self.take(json.loads(line))
                    continue
                if ready & selectors.EVENT_READ:
                    self.read(capacity)
                self.handle()
                if ready & selectors.EVENT_WRITE:
                    self.write()
                    # Proton has no event for room in its buffers.
                    for name in list(self.streaming):
                        self.stream_on(self.links[name])
        say("disconnected")

    def handle(self):
        while True:
            event = self.collector.peek()
            if event is None:
                return
            event.dispatch(self)
            self.collector.pop()

    def read(self, capacity):
        try:
            octets = self.stream.recv(min(capacity, READ))
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if octets:
            self.transport.push(octets)
        else:
            self.transport.close_tail()
            self.transport.close_head()

    def write(self):
        pending = self.transport.pending()
        if pending <= 0:
            return
        try:
            self.transport.pop(self.stream.send(self.transport.peek(min(pending, READ))))
        except BlockingIOError:
            return
        except OSError:
            self.transport.close_head()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=["steps"])
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--listen", metavar="HOST", help="serve one connection on a free port of this host")
    place.add_argument("--connect", metavar="HOST:PORT", help="be a client of this server")
    parser.add_argument("--container", default="proton-peer", help="our container-id")
    parser.add_argument("--sasl", choices=["none", "anonymous"], default="anonymous")
    parser.add_argument("--open", default="{}", help="a JSON object: what our open says, and of sessions the capacity")
    options = parser.parse_args()
    if options.listen is not None:
        listener = socket.create_server((options.listen, 0))
        say("ready", port=listener.getsockname()[1])
        stream, _ = listener.accept()
    else:
        host, port = options.connect.split(":")
        stream = socket.create_connection((host, int(port)))
        say("ready")
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    Steps(options, stream).run()
    # Whoever started this program ends it by ending standard input; until then its last words can be heard.
    os.set_blocking(0, True)
    while sys.stdin.buffer.read(65536):
        pass


if __name__ == "__main__":
    main()
