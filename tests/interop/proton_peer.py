#!/usr/bin/env python3
"""A peer made of python-qpid-proton, for the interoperability tests. README.md has its commands and its output."""

import argparse
import json
import os
import subprocess
import sys
import threading

from cproton import (
    pn_message_get_content_encoding, pn_message_get_content_type, pn_message_get_creation_time,
    pn_message_get_expiry_time, pn_message_get_ttl, pn_message_set_creation_time, pn_message_set_expiry_time,
    pn_message_set_ttl,
)
from proton import SASL, Condition, Delivery, Disposition, Message, SSLDomain, symbol, ulong
from proton.handlers import Handshaker
from proton.reactor import Container, Handler

import notation

PATTERN = bytes(range(251))
# What --sasl takes: ways to log in without a name, and those that Cyrus SASL has beside PLAIN.
NAMELESS = ["none", "anonymous"]
SCRAM = ["scram-sha-1", "scram-sha-256", "scram-sha-512"]


def say(event, **fields):
    """One line of output: an object with the event's name first."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


# --- proton.Message to notation and back -------------------------------------------------------------------------


def describe(message, digests):
    """What an application sees of a message through `proton.Message`."""
    raw = message._msg
    header = {
        "durable": ["boolean", message.durable],
        "priority": ["ubyte", str(message.priority)],
        "first_acquirer": ["boolean", message.first_acquirer],
        "delivery_count": ["uint", str(message.delivery_count)],
    }
    # Proton knows no absent numbers: a zero may be one.
    if pn_message_get_ttl(raw):
        header["ttl"] = ["uint", str(pn_message_get_ttl(raw))]
    properties = {}

    def have(name, note):
        properties[name] = note

    for name, value in (("message_id", message.id), ("correlation_id", message.correlation_id)):
        if value is not None:
            have(name, ["ulong", str(value)] if type(value) is int else notation.from_native(value))
    if message.user_id:
        have("user_id", ["binary", message.user_id.hex()])
    for name, value in (
        ("to", message.address), ("subject", message.subject), ("reply_to", message.reply_to),
        ("group_id", message.group_id), ("reply_to_group_id", message.reply_to_group_id),
    ):
        if value is not None:
            have(name, ["string", value])
    # The C accessors: the Python ones turn an absent symbol into the text "None" and times into inexact seconds.
    for name, value in (
        ("content_type", pn_message_get_content_type(raw)), ("content_encoding", pn_message_get_content_encoding(raw)),
    ):
        if value is not None:
            have(name, ["symbol", value])
    for name, value in (
        ("absolute_expiry_time", pn_message_get_expiry_time(raw)), ("creation_time", pn_message_get_creation_time(raw)),
    ):
        if value:
            have(name, ["timestamp", str(value)])
    if message.group_sequence:
        have("group_sequence", ["uint", str(message.group_sequence)])

    described = {"header": header, "properties": properties}
    for name, value in (
        ("delivery_annotations", message.instructions), ("message_annotations", message.annotations),
        ("application_properties", message.properties),
    ):
        if value is not None:
            described[name] = notation.from_native(value)
    # Binary values arrive as views of memory that the message owns.
    body = bytes(message.body) if isinstance(message.body, memoryview) else message.body
    if message.inferred and isinstance(body, bytes):
        described["body"] = ["octets", [notation.digest(body)]] if digests else ["data", [body.hex()]]
    elif message.inferred and isinstance(body, list):
        described["body"] = ["sequence", [notation.from_native(body)[1]]]
    else:
        described["body"] = ["value", notation.from_native(body)]
    return described


def compose(described):
    """A `proton.Message` as an application would fill it."""
    message = Message()
    header = described.get("header", {})
    for name in ("durable", "priority", "first_acquirer", "delivery_count"):
        if name in header:
            setattr(message, name, notation.to_native(header[name]))
    if "ttl" in header:
        pn_message_set_ttl(message._msg, int(header["ttl"][1]))
    attributes = {
        "message_id": "id", "to": "address", "user_id": "user_id", "subject": "subject", "reply_to": "reply_to",
        "correlation_id": "correlation_id", "content_type": "content_type", "content_encoding": "content_encoding",
        "group_id": "group_id", "group_sequence": "group_sequence", "reply_to_group_id": "reply_to_group_id",
    }
    for name, note in described.get("properties", {}).items():
        if name == "absolute_expiry_time":
            pn_message_set_expiry_time(message._msg, int(note[1]))
        elif name == "creation_time":
            pn_message_set_creation_time(message._msg, int(note[1]))
        else:
            value = notation.to_native(note)
            setattr(message, attributes[name], int(value) if note[0] == "ulong" else value)
    for name, attribute in (
        ("delivery_annotations", "instructions"), ("message_annotations", "annotations"),
        ("application_properties", "properties"),
    ):
        if name in described:
            setattr(message, attribute, notation.to_native(described[name]))
    kind, content = described["body"]
    if kind == "value":
        message.body = notation.to_native(content)
        message.inferred = False
    else:
        # A Message holds one section of data or one sequence: the last one given wins, as on its decoding side.
        message.body = bytes.fromhex(content[-1]) if kind == "data" else notation.to_native(["list", content[-1]])
        message.inferred = True
    return message


# --- the three roles ---------------------------------------------------------------------------------------------


class Peer(Handler):
    """Serves every link that appears, in the role of the command line."""

    def __init__(self, options, messages):
        super().__init__()
        self.handlers = [Handshaker()]
        self.options = options
        self.waiting = messages
        self.sent = {}
        self.next_index = 0
        self.received = 0
        self.settled = 0
        self.senders = []
        self.finished = False
        self.opened = False

    # connections

    def on_reactor_init(self, event):
        options = self.options
        if options.listen is not None:
            self.acceptor = event.reactor.listen("%s:0" % options.listen)
            say("ready", port=self.acceptor._selectable._delegate.getsockname()[1])
            return
        settings = {"reconnect": False, "allow_insecure_mechs": True, "sasl_enabled": options.sasl != "none"}
        if options.sasl != "none":
            settings["allowed_mechs"] = options.sasl.upper()
        if options.sasl not in NAMELESS:
            settings.update(user=options.user, password=options.password)
        if options.max_frame:
            settings["max_frame_size"] = options.max_frame
        if options.ca:
            domain = SSLDomain(SSLDomain.MODE_CLIENT)
            domain.set_trusted_ca_db(options.ca)
            domain.set_peer_authentication(SSLDomain.VERIFY_PEER_NAME)
            domain.set_credentials(options.certificate, options.key, None)
            settings["ssl_domain"] = domain
        container = event.reactor
        scheme = "amqps" if options.ca else "amqp"
        connection = container.connect("%s://%s" % (scheme, options.connect), **settings)
        if options.role in ("sink", "echo"):
            container.create_receiver(connection, source=options.address)
        if options.role == "source":
            container.create_sender(connection, target=options.address)
        if options.role == "echo":
            container.create_sender(connection, target=options.reply)
        say("ready")

    def on_connection_bound(self, event):
        transport = event.transport
        if self.options.max_frame:
            transport.max_frame_size = self.options.max_frame
        if self.options.listen is None:
            return
        transport.require_auth(self.options.sasl not in NAMELESS)
        if self.options.sasl == "none":
            return
        sasl = transport.sasl()
        if self.options.sasl not in NAMELESS:
            sasl.allow_insecure_mechs = True
            sasl.config_name("peer")
            sasl.config_path(self.options.sasl_dir)
        sasl.allowed_mechs(self.options.sasl.upper())

    def on_connection_remote_open(self, event):
        connection = event.connection
        self.opened = True
        fields = {"container": connection.remote_container}
        if self.options.sasl != "none":
            sasl = event.transport.sasl()
            fields.update(mechanism=sasl.mech, user=event.transport.user)
        say("open", **fields)

    def on_connection_remote_close(self, event):
        condition = event.connection.remote_condition
        say("close", condition=condition and condition.name, description=condition and condition.description)

    def on_transport_error(self, event):
        condition = event.transport.condition
        say("transport_error", condition=condition.name, description=condition.description)

    def on_transport_closed(self, event):
        say("disconnected")
        if self.options.connect is not None:
            os._exit(0 if self.finished or self.opened else 1)

    def on_link_remote_close(self, event):
        condition = event.link.remote_condition
        if condition:
            say("link_error", condition=condition.name, description=condition.description)

    # links

    def on_link_local_open(self, event):
        link = event.link
        if link.is_receiver:
            if self.options.role == "source":
                return
            link.flow(self.options.credit)
        else:
            self.senders.append(link)

    def on_link_remote_open(self, event):
        link = event.link
        say(
            "link", role="receiver" if link.is_receiver else "sender", name=link.name,
            source=link.remote_source.address, target=link.remote_target.address,
        )

    def on_link_flow(self, event):
        if event.link.is_sender:
            self.pump()

    def pump(self):
        """Sends what waits, as far as credit goes."""
        for link in self.senders:
            while self.waiting and link.credit > 0:
                encoded, incoming = self.waiting.pop(0)
                delivery = link.delivery(link.delivery_tag())
                link.stream(encoded)
                link.advance()
                if self.options.settled:
                    delivery.settle()
                    self.count_settled(link)
                else:
                    self.sent[delivery.tag] = (self.next_index, incoming)
                self.next_index += 1

    # deliveries

    def on_delivery(self, event):
        delivery = event.delivery
        if event.link.is_sender:
            if delivery.updated and delivery.tag in self.sent:
                self.on_outcome(delivery)
        elif delivery.readable and not delivery.partial:
            self.on_received(event.link, delivery)

    def on_outcome(self, delivery):
        state = delivery.remote_state
        if not delivery.settled and state in (0, Disposition.RECEIVED):
            return
        index, incoming = self.sent.pop(delivery.tag)
        if incoming is not None:
            # An echo answers with the fate of what it sent back, so the first sender learns the end of the story.
            incoming.update(state or Delivery.ACCEPTED)
            incoming.settle()
        remote = delivery.remote
        outcome = {"index": index, "state": getattr(state, "name", str(state)).lower(), "settled": delivery.settled}
        if remote.condition is not None:
            outcome.update(condition=remote.condition.name, description=remote.condition.description)
        if state == Disposition.MODIFIED:
            outcome.update(failed=remote.failed, undeliverable=remote.undeliverable)
            if remote.annotations:
                outcome.update(annotations=notation.from_native(remote.annotations))
        say("outcome", **outcome)
        delivery.settle()
        self.count_settled(delivery.link)

    def count_settled(self, link):
        self.settled += 1
        if self.options.role == "source" and not self.waiting and not self.sent:
            self.finish(link)

    def on_received(self, link, delivery):
        encoded = link.recv(delivery.pending) or b""
        link.advance()
        link.flow(1)
        index = self.received
        self.received += 1
        again = encoded
        try:
            if self.options.api == "typed":
                described = notation.sections_from_bytes(encoded, self.options.digest)
                if self.options.role == "echo":
                    again = encoded if self.options.digest else notation.sections_to_bytes(described)
            else:
                message = Message()
                message.decode(encoded)
                described = describe(message, self.options.digest)
                if self.options.role == "echo":
                    again = message.encode()
        except Exception as error:  # whatever Proton makes of it is the test's to judge
            say("refused", index=index, error="%s: %s" % (type(error).__name__, error))
            delivery.local.condition = Condition("amqp:decode-error", str(error))
            delivery.update(Delivery.REJECTED)
            delivery.settle()
            self.after_received(link)
            return
        say("message", index=index, settled=delivery.settled, message=described)
        if self.options.role == "echo":
            self.waiting.append((again, delivery))
            self.pump()
        else:
            self.decide(delivery, index)
        self.after_received(link)

    def decide(self, delivery, index):
        outcomes = self.options.outcomes
        outcome = outcomes[min(index, len(outcomes) - 1)]
        if outcome == "settle":
            delivery.settle()
            return
        if outcome == "none":
            return
        if outcome == "reject":
            delivery.local.condition = Condition("test:refused", "the sink refuses this one")
            delivery.update(Delivery.REJECTED)
        elif outcome == "release":
            delivery.update(Delivery.RELEASED)
        elif outcome == "modify":
            delivery.local.failed = True
            delivery.local.undeliverable = True
            delivery.local.annotations = {symbol("x-test-reason"): "not here"}
            delivery.update(Delivery.MODIFIED)
        else:
            delivery.update(Delivery.ACCEPTED)
        delivery.settle()

    def after_received(self, link):
        if self.options.role == "sink" and self.received == self.options.count:
            self.finish(link)

    def finish(self, link):
        if self.finished:
            return
        self.finished = True
        say("done", received=self.received, settled=self.settled)
        if self.options.connect is not None:
            link.connection.close()


# --- the command line --------------------------------------------------------------------------------------------


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=["sink", "source", "echo"])
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--listen", metavar="HOST", help="serve on a free port of this host")
    place.add_argument("--connect", metavar="HOST:PORT", help="be a client of this server")
    parser.add_argument("--address", default="test", help="client: the node to receive from or send to")
    parser.add_argument("--reply", default="reply", help="client, echo: the node to send back to")
    parser.add_argument("--container", default="proton-peer", help="our container-id")
    parser.add_argument("--sasl", choices=[*NAMELESS, "plain", *SCRAM], default="anonymous")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--sasl-dir", help="server with passwords: an empty folder for the password database")
    parser.add_argument("--ca", help="client: TLS, with servers that this authority knows")
    parser.add_argument("--certificate", help="client with TLS: the one to show")
    parser.add_argument("--key", help="client with TLS: that of the certificate")
    parser.add_argument("--api", choices=["message", "typed"], default="typed", help="which of the library's codecs")
    parser.add_argument("--count", type=int, default=0, help="sink: say done after so many; source: with --size")
    parser.add_argument("--size", type=int, help="source: send --count bodies of so many octets instead")
    parser.add_argument("--settled", action="store_true", help="source: send settled")
    parser.add_argument("--digest", action="store_true", help="print the length and CRC-32 of data bodies")
    parser.add_argument("--outcomes", default="accept", help="sink: accept, reject, release, modify, settle or none,"
                        " one a message, separated by commas; the last one repeats")
    parser.add_argument("--credit", type=int, default=100)
    parser.add_argument("--max-frame", type=int, default=0)
    options = parser.parse_args()
    options.outcomes = options.outcomes.split(",")
    return options


def outgoing(options):
    """What a source is to send: bodies of a size, or a message in notation a line up to an empty line."""
    if options.role != "source":
        return []
    if options.size is not None:
        body = (PATTERN * (options.size // len(PATTERN) + 1))[:options.size]
        message = Message(body=body)
        message.inferred = True
        return [(message.encode(), None)] * options.count
    messages = []
    for index, line in enumerate(iter(lambda: sys.stdin.readline().strip(), "")):
        described = json.loads(line)
        try:
            if options.api == "typed":
                messages.append((notation.sections_to_bytes(described), None))
            else:
                messages.append((compose(described).encode(), None))
        except Exception as error:
            say("unsendable", index=index, error="%s: %s" % (type(error).__name__, error))
    return messages


def make_password_database(options):
    """The Cyrus SASL library reads users from a Berkeley database; a user's realm follows the @."""
    name, _, realm = options.user.partition("@")
    database = os.path.join(options.sasl_dir, "peer.sasldb")
    with open(os.path.join(options.sasl_dir, "peer.conf"), "w") as config:
        config.write("pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: %s\nmech_list: %s\n"
                     % (database, options.sasl.upper()))
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    subprocess.run(
        ["saslpasswd2", "-c", "-p", "-f", database, "-u", realm, name], input=options.password.encode(), check=True,
        env={**os.environ, "PATH": path},
    )


def leave_with_stdin():
    """Whoever started this program is gone when standard input ends: nothing is left behind then."""
    while sys.stdin.readline():
        pass
    os._exit(0)


def main():
    options = parse()
    if options.sasl not in NAMELESS:
        assert SASL.extended(), "this Proton was built without Cyrus SASL: it knows no passwords"
        if options.listen is not None:
            make_password_database(options)
    messages = outgoing(options)
    threading.Thread(target=leave_with_stdin, daemon=True).start()
    container = Container(Peer(options, messages))
    container.container_id = options.container
    container.run()


if __name__ == "__main__":
    main()
