"""The engine: connections, sessions, links and deliveries, in memory and in virtual time."""

import gc
import unittest

from engines import Engines
from ferrion import (
    Described,
    Duplicate,
    FerrionException,
    LimitReached,
    Message,
    MessageException,
    NoCredit,
    RcvSettleMode,
    SndSettleMode,
    StaleHandle,
    WrongState,
    symbol,
    ulong,
)
from ferrion.engine import *


def kinds(events):
    return [event.kind for event in events]


class Connections(Engines):
    def test_both_sides_open_and_close_and_are_done(self):
        self.opened(Config("client", hostname="here", idle_timeout=60, properties={"product": "test"}))
        server, client = self.work()
        self.assertEqual(kinds(client), [EventKind.REMOTE_OPEN])
        self.assertTrue(self.client.is_open and self.server.is_open)
        self.assertEqual(self.server.remote.container_id, "client")
        self.assertEqual(self.server.remote["hostname"], "here")
        self.assertEqual(self.server.remote.properties, {symbol("product"): "test"})
        self.assertIn("max_frame_size", list(self.server.remote))
        self.assertIsNone(self.client.remote.properties)
        self.assertRaises(AttributeError, lambda: self.client.remote.colour)
        self.assertRaises(KeyError, lambda: self.client.remote["colour"])
        self.client.close()
        server, client = self.work()
        self.assertEqual(kinds(server), [EventKind.REMOTE_CLOSE, EventKind.DISCONNECTED])
        self.assertTrue(self.client.is_done and self.server.is_done)
        self.assertIsNone(self.client.failure)

    def test_a_close_carries_its_reason(self):
        self.opened()
        self.work()
        self.server.close("amqp:connection:forced", "going down", {"back": 5})
        _, client = self.work()
        self.assertEqual(kinds(client), [EventKind.REMOTE_CLOSE, EventKind.DISCONNECTED])
        reason = self.client.remote_condition
        self.assertEqual(str(reason), "amqp:connection:forced: going down")
        self.assertEqual(reason.info, {symbol("back"): 5})
        self.assertEqual(self.client.failure.kind, FailureKind.REMOTE)
        self.assertEqual(self.client.failure_condition.condition, "amqp:connection:forced")
        self.assertIn("going down", str(self.client.failure))

    def test_what_the_peer_does_wrong_is_an_event_and_no_exception(self):
        self.opened()
        self.server.receive(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(kinds(self.server.events()), [EventKind.DISCONNECTED])
        self.assertEqual(self.server.failure.kind, FailureKind.NOT_AMQP)
        self.assertFalse(self.server.failure.kind.is_login)

    def test_a_lost_transport_is_a_failure(self):
        self.opened()
        self.work()
        self.client.receive_eof()
        self.assertEqual(kinds(self.client.events()), [EventKind.DISCONNECTED])
        self.assertEqual(self.client.failure.kind, FailureKind.TRANSPORT_CLOSED)

    def test_output_can_be_taken_in_part(self):
        self.opened()
        whole = self.client.peek()
        self.assertTrue(whole.startswith(b"AMQP"))
        self.assertEqual(self.client.to_send(3), whole[:3])
        self.assertEqual(self.client.peek(), whole[3:])
        self.client.advance(2)
        self.assertRaises(MessageException, self.client.advance, 1 << 30)
        self.assertEqual(self.client.to_send(), whole[5:])
        self.assertEqual(self.client.to_send(), b"")
        self.assertIsNone(self.client.peek())
        for octet in whole:
            self.server.receive(bytearray([octet]))
        self.assertTrue(self.server.is_open)

    def test_time_is_what_the_clock_says(self):
        self.opened(Config("client", idle_timeout=4))
        self.work()
        # The client said half of its time-out, and the server keeps that with something to spare.
        deadline = self.server.deadline
        self.assertEqual(deadline.reason, Reason.HEARTBEAT)
        self.assertEqual(self.server.tick(), deadline.at)
        self.assertIsNone(self.server.peek())
        self.now = deadline.at
        self.server.tick()
        self.assertEqual(self.server.to_send(), b"\0\0\0\x08\x02\0\0\0")
        self.assertGreater(self.server.tick(), self.now)
        self.assertEqual(self.client.deadline.reason, Reason.PEER_SILENT)
        self.client.tick(self.client.deadline.at)
        self.assertIn(EventKind.FAILED, kinds(self.client.events()))
        self.assertEqual(self.client.failure_condition.condition, "amqp:resource-limit-exceeded")

    def test_a_trace_has_a_line_for_each_frame(self):
        self.opened()
        self.server.set_tracing()
        self.work()
        lines = list(self.server.trace())
        self.assertTrue(any('@open(16) [container-id="client"' in line for line in lines), lines)
        self.server.set_tracing(False)
        self.client.begin()
        self.work()
        self.assertEqual(list(self.server.trace()), [])

    def test_a_configuration_is_copied_and_checked(self):
        config = Config("one", channel_max=7, offered_capabilities=["A", "B"], pipelined=False, ends_errant_sessions=True)
        config.set_limit(Limit.LINKS_PER_SESSION, 1)
        copy = config.copy()
        config.container_id = "other"
        config.idle_timeout = 3
        config.idle_timeout = None
        self.assertEqual((copy.container_id, copy.channel_max, copy.pipelined), ("one", 7, False))
        self.assertEqual(copy.offered_capabilities, ("A", "B"))
        self.assertEqual(copy.desired_capabilities, ())
        self.assertIsNone(config.idle_timeout)
        self.assertEqual(copy.limit(Limit.LINKS_PER_SESSION), 1)
        self.assertRaises(MessageException, setattr, config, "max_frame_size", "large")
        self.assertRaises(TypeError, Config, "x", colour="green")
        self.assertRaises(TypeError, Config, "x", offer="PLAIN")
        self.assertRaises(TypeError, Engine.client, "client")
        session = SessionConfig(incoming_window=5, properties={"a": 1}).copy()
        self.assertEqual((session.incoming_window, session.properties), (5, {symbol("a"): 1}))

    def test_calls_of_an_engine_that_is_over_are_refused(self):
        self.opened()
        self.work()
        self.client.close()
        self.work()
        self.assertRaises(WrongState, self.client.begin)
        self.assertRaises(WrongState, self.client.open)
        self.client.receive(b"late")
        self.assertEqual(self.client.to_send(), b"")


class Links(Engines):
    def setUp(self):
        super().setUp()
        self.opened()

    def test_a_message_is_sent_accepted_and_settled(self):
        sender, receiver = self.sender()
        self.assertTrue(sender.is_attached)
        self.assertEqual((sender.remote_address, receiver.remote.target.value[0]), ("queue", "queue"))
        self.assertEqual(sender.credit, 100)
        sent = sender.send(Message(body="hello"), b"tag")
        # There is room for it in the output.
        self.assertEqual((sent.is_queued, sender.queued, sender.queued_octets), (False, 0, 0))
        server, _ = self.work()
        self.assertEqual(server, [(EventKind.DELIVERIES, receiver.session, receiver)])
        self.assertEqual(receiver.waiting, 1)
        (delivery,) = receiver
        self.assertEqual((delivery.tag, delivery.message.body, delivery.settled), (b"tag", "hello", False))
        self.assertEqual([one.tag for one in receiver.unsettled()], [b"tag"])
        self.assertEqual(receiver.session.unsettled_incoming, 1)
        delivery.accept()
        _, client = self.work()
        self.assertEqual(client, [(EventKind.UPDATES, sender.session, sender)])
        self.assertEqual(list(sender.updates()), [(sent, b"tag", Accepted(), True)])
        self.assertEqual(list(sender.updates()), [])
        self.assertRaises(StaleHandle, lambda: sent.is_queued)
        self.assertRaises(StaleHandle, delivery.accept)
        self.assertEqual(self.client.census.outgoing_deliveries, 0)

    def test_every_outcome_travels(self):
        sender, receiver = self.sender()
        error = Condition("amqp:decode-error", "what is this", {symbol("at"): 3})
        settle = [
            (lambda d: d.release(), Released()),
            (lambda d: d.reject("amqp:decode-error", "what is this", {"at": 3}), Rejected(error)),
            (lambda d: d.reject(), Rejected()),
            (lambda d: d.modify(True, True, {"x-tries": 1}), Modified(True, True, {symbol("x-tries"): 1})),
            (lambda d: d.settle(Accepted()), Accepted()),
            (lambda d: d.settle(Rejected(error), at_once=True), Rejected(error)),
            (lambda d: d.settle(Transactional(b"t", Released())), Transactional(b"t", Released())),
            (lambda d: d.forget(), None),
        ]
        for how, outcome in settle:
            sender.send(b"\0Sw\xa1\x01x")
            self.work()
            how(receiver.next_delivery())
            self.work()
            (update,) = sender.updates()
            self.assertEqual((update.state, update.settled), (outcome, True))

    def test_only_ulongs_and_symbols_name_states(self):
        sender, receiver = self.sender()
        for descriptor, state in (
            (ulong(0x24), Accepted()),
            (symbol("amqp:accepted:list"), Accepted()),
            (36.0, Described(36.0, [])),
            ("amqp:accepted:list", Described("amqp:accepted:list", [])),
            ([1], Described([1], [])),
        ):
            sender.send(b"one")
            self.work()
            (delivery,) = receiver
            delivery.update(Transactional(b"t", Described(descriptor, [])))
            self.work()
            self.assertEqual([update.state for update in sender.updates()], [Transactional(b"t", state)])

    def test_a_state_without_settlement_is_told_and_settled_later(self):
        sender, receiver = self.sender(rcv_settle_mode=RcvSettleMode.SECOND)
        self.assertEqual(receiver.rcv_settle_mode, RcvSettleMode.SECOND)
        sent = sender.send(Message(body=1), state=Transactional(b"txn"))
        self.work()
        delivery = receiver.next_delivery()
        self.assertEqual(delivery.state, Transactional(b"txn"))
        delivery.update(Accepted())
        self.work()
        self.assertEqual(list(sender.updates()), [(sent, b"2", Accepted(), False)])
        (unsettled,) = sender.unsettled()
        self.assertEqual(unsettled.delivery, sent)
        sent.settle(Accepted())
        self.work()
        (update,) = receiver.updates()
        self.assertEqual((update.delivery.id, update.settled), (delivery.id, True))
        self.assertEqual(self.server.census, (1, 1, 0, 0))

    def test_without_credit_nothing_is_sent_and_nothing_changed(self):
        sender, receiver = self.sender(credit=0)
        self.assertRaises(NoCredit, sender.send, Message(body=1))
        receiver.add_credit(1)
        receiver.credit = 2
        _, client = self.work()
        self.assertEqual(kinds(client), [EventKind.FLOW])
        self.assertIsNone(sender.send(Message(body=1), settled=True))
        self.work()
        self.assertTrue(receiver.next_delivery().settled)
        self.assertEqual((sender.credit, receiver.credit), (1, 1))
        receiver.drain()
        self.assertTrue(receiver.is_draining)
        self.work()
        self.assertTrue(sender.is_draining)
        sender.drained()
        server, _ = self.work()
        self.assertEqual(kinds(server), [EventKind.FLOW])
        self.assertEqual((receiver.credit, receiver.is_draining, receiver.available), (0, False, 0))

    def test_every_way_to_send_arrives(self):
        sender, receiver = self.sender()
        octets = Message(body="x").encode()
        self.assertIsNone(sender.send(octets, b"1", settled=True))
        sender.send(octets, b"2")
        sender.send(memoryview(octets), b"3", batchable=True)
        sender.send(octets, b"4", message_format=7)
        sender.send(Message(body="x"), b"5", state=Transactional(b"t"))
        self.work()
        got = list(receiver)
        self.assertEqual([delivery.tag for delivery in got], [b"1", b"2", b"3", b"4", b"5"])
        self.assertEqual([delivery.payload for delivery in got], [octets] * 5)
        self.assertEqual([delivery.batchable for delivery in got], [False, False, True, False, False])
        self.assertEqual(got[3].message_format, 7)
        self.assertRaises(MessageException, lambda: Delivery(receiver, 0, b"", b"\xff", 0, None, False, False).message)

    def test_a_payload_goes_and_comes_in_parts(self):
        sender, receiver = self.sender()
        receiver.set_streaming()
        self.assertIsNone(receiver.partial)
        stream = sender.stream(b"long")
        stream.write(b"abc")
        self.work()
        partial = receiver.partial
        self.assertEqual((partial.tag, partial.waiting), (b"long", 3))
        self.assertEqual(receiver.read_partial(), b"abc")
        self.assertIsNone(receiver.read_partial())
        with stream:
            stream.write(b"def")
        self.work()
        self.assertEqual(receiver.next_delivery().payload, b"def")
        with self.assertRaises(RuntimeError), sender.stream() as broken:
            broken.write(b"half")
            self.work()
            receiver.read_partial()
            raise RuntimeError("there is no more")
        self.work()
        self.assertTrue(receiver.next_delivery().aborted)

    def test_a_delivery_that_is_arriving_can_be_refused(self):
        sender, receiver = self.sender()
        stream = sender.stream(b"endless")
        stream.write(b"abc")
        self.work()
        self.assertEqual(receiver.engine.partial_octets, 64 + 3)
        receiver.refuse_partial("amqp:resource-limit-exceeded", "too much")
        self.assertEqual(receiver.engine.partial_octets, 0)
        self.work()
        self.assertEqual(sender.error.condition, "amqp:resource-limit-exceeded")

    def test_a_receiver_of_the_clients_is_sent_to(self):
        receiver, sender = self.receiver(snd_settle_mode=SndSettleMode.SETTLED)
        self.assertEqual(sender.snd_settle_mode, SndSettleMode.SETTLED)
        receiver.credit = 1
        self.work()
        sender.send(Message(body="for you"), settled=True)
        _, client = self.work()
        self.assertEqual(kinds(client), [EventKind.DELIVERIES])
        delivery = receiver.next_delivery()
        for settle in (delivery.accept, delivery.reject, delivery.release, delivery.modify, delivery.forget):
            settle()
        self.assertEqual(delivery.message.body, "for you")

    def test_links_are_refused_closed_and_detached_with_their_reasons(self):
        session = self.client.begin()
        sender = session.attach_sender("nowhere", "n")
        self.pump()
        for event in self.server.events():
            if event.kind is EventKind.SESSION_BEGUN:
                self.assertTrue(event.session.is_incoming)
                event.session.accept()
            elif event.kind is EventKind.LINK_ATTACHED:
                self.assertEqual(event.link.name, "n")
                event.link.refuse("amqp:not-found", "there is no such queue")
        _, client = self.work()
        self.assertIn(EventKind.LINK_DETACHED, kinds(client))
        self.assertEqual(sender.error, Condition("amqp:not-found", "there is no such queue", None, True))
        self.assertTrue(sender.awaits_detach and sender.is_remote_closed)
        sender.close()
        self.work()
        self.assertRaises(StaleHandle, lambda: sender.name)

        sender, receiver = self.sender()
        sender.detach()
        server, _ = self.work()
        self.assertEqual(server[-1], (EventKind.LINK_DETACHED, receiver.session, receiver))
        self.assertFalse(receiver.is_remote_closed)
        receiver.detach()
        self.work()
        sender, receiver = self.sender()
        receiver.close("amqp:resource-deleted")
        self.work()
        self.assertEqual(sender.error.condition, "amqp:resource-deleted")

    def test_a_graceful_close_waits_for_what_is_unsettled(self):
        sender, receiver = self.sender()
        sender.send(Message(body=1))
        self.work()
        self.assertIsNone(sender.closing)
        sender.close_by(self.now + 5)
        self.assertEqual(sender.closing, Closing.SETTLING)
        self.assertEqual(self.client.deadline, (self.now + 5, Reason.LINK_CLOSE))
        receiver.next_delivery().accept()
        self.work()
        self.client.tick()
        self.assertEqual(sender.closing, Closing.COMPLETE)

    def test_a_session_ends_with_its_reason_and_takes_its_links_along(self):
        sender, receiver = self.sender()
        self.assertTrue(sender.session.is_begun)
        self.assertGreater(sender.session.outgoing_window, 0)
        self.assertGreater(receiver.session.remote_outgoing_window, -1)
        self.assertEqual(sender.session.unsettled_outgoing, 0)
        self.assertEqual(receiver.session.remote.next_outgoing_id, 0)
        session = sender.session
        receiver.session.end("amqp:internal-error", "oops")
        self.pump()
        told = [(event.kind, event.session.error) for event in self.client.events() if event.kind is EventKind.SESSION_ENDED]
        self.assertEqual(told, [(EventKind.SESSION_ENDED, Condition("amqp:internal-error", "oops", None, True))])
        self.assertRaises(StaleHandle, lambda: session.is_begun)
        self.assertRaises(StaleHandle, lambda: sender.credit)

    def test_handles_are_harmless_whatever_becomes_of_their_objects(self):
        sender, receiver = self.sender()
        self.assertRaises(StaleHandle, Receiver(self.client, sender.session.id).drain)
        self.assertRaises(StaleHandle, Sender(self.server, sender.id).drained)
        self.assertRaises(FerrionException, Receiver(self.client, sender.id).drain)
        self.assertEqual(Sender(self.client, sender.id), sender)
        self.assertEqual({sender: 1}[Sender(self.client, sender.id)], 1)
        self.assertNotEqual(sender, receiver)
        name = sender.name
        del self.client
        gc.collect()
        # The link keeps its engine.
        self.assertEqual(sender.name, name)

    def test_limits_and_names_are_kept(self):
        session = self.client.begin()
        session.attach_sender("queue", "same")
        self.assertRaises(Duplicate, session.attach_sender, "queue", "same")
        config = Config("client", channel_max=0)
        self.opened(config)
        self.client.begin()
        self.assertRaises(LimitReached, self.client.begin)

    def test_termini_are_configured_told_and_answered(self):
        def answer(config):
            self.assertTrue(config.source.dynamic)
            config.source.address = "made-up"
            return config

        config = LinkConfig.receiver("r", None, properties={"p": 1}, max_message_size=1000, desired_capabilities=["x"])
        config.source.dynamic = True
        config.source.capabilities = ["queue"]
        config.source.expiry_policy = "session-end"
        config.source.filter = {"f": None}
        config.target.durable = 1
        config.target.capabilities = "topic"
        receiver = self.client.begin().attach_receiver(config.copy())
        self.work(accept=answer)
        self.assertEqual(receiver.remote_address, "made-up")
        self.assertEqual((receiver.remote_source.dynamic, receiver.remote_source.capabilities), (True, ("queue",)))
        self.assertEqual(receiver.remote_target.durable, 1)
        sender = self.attached[-1]
        self.assertEqual((sender.remote.max_message_size, sender.remote.properties), (1000, {symbol("p"): 1}))
        self.assertEqual(receiver.offer().name, "r")
        self.assertEqual(config.whole_target.descriptor, 0x29)
        config.target = None
        self.assertIsNone(config.whole_target)
        self.assertRaises(TypeError, setattr, config, "source", "queue")
        self.assertIsNotNone(config.whole_source)


class Recoveries(Engines):
    def test_a_link_goes_on_where_it_was_on_another_connection(self):
        self.opened()
        sender, _ = self.sender(name="kept", recoverable=True)
        sender.send(Message(body="first"), b"1")
        self.work()
        sender.send(Message(body="lost on the way"), b"2")
        self.client.receive_eof()
        (state,) = self.client.link_states()
        state = LinkState(state.encode()).copy()
        self.assertTrue(state.is_sender)
        self.assertEqual((len(state), state[-1].tag, state.config.name), (2, b"2", "kept"))
        self.assertEqual((state[0].remote_state, state[0].complete), (None, True))
        state.set_payload(0, Message(body="replaced").encode())
        config = state.config
        config.properties = {"again": True}
        state.config = config
        self.assertRaises(IndexError, lambda: state[2])

        self.opened()
        sender = self.client.begin().resume(state)
        self.work()
        self.assertTrue(sender.is_attached)
        self.assertEqual((sender.recovered.resumed, sender.recovered.sent_again), (0, 2))
        self.assertEqual([d.message.body for d in self.attached[-1]], ["replaced", "lost on the way"])
        del state[0]
        self.assertEqual(len(state), 1)

    def test_a_server_resumes_what_it_kept(self):
        self.opened()
        sender, receiver = self.sender(name="kept", recoverable=True, snd_settle_mode=SndSettleMode.UNSETTLED)
        sender.send(Message(body="first"), b"1")
        self.pump()
        state, kept = sender.state, LinkState()
        kept.config = receiver.offer()
        self.opened()
        self.client.begin().resume(state)
        self.pump()
        with self.assertRaises(FerrionException):
            for event in self.server.events():
                if event.kind is EventKind.SESSION_BEGUN:
                    event.session.accept()
                elif event.kind is EventKind.LINK_ATTACHED:
                    # A state of the other role.
                    event.link.resume(kept)


if __name__ == "__main__":
    unittest.main()
