"""Messengers over loopback."""

import os
import signal
import threading
import time
import unittest

from ferrion import *
from ferrion.engine import Limit
from pair import PATIENCE, Pair


class Addresses(Pair):
    def test_what_went_wrong_last_is_known_by_address(self):
        port = self.port
        self.assertIsNone(self.sender.address_error(self.address))
        self.receiver = None
        self.sender.reconnect = None
        self.put("x")
        with self.assertRaises(ConnectionFailed) as raised:
            self.sender.send()
        error = self.sender.address_error(self.address)
        self.assertIsInstance(error, ConnectionFailed)
        self.assertEqual((str(error), error.status), (str(raised.exception), raised.exception.status))
        self.assertIsNone(error.condition)
        self.assertIn(str(port), str(error))
        with self.assertRaises(MessengerException):
            self.sender.address_error("http://x")

    def test_limits_are_kept(self):
        self.assertEqual(self.sender.limit(Limit.CONNECTION_OCTETS), 1 << 30)
        self.sender.set_limit(Limit.CONNECTION_OCTETS, 1 << 20)
        self.assertEqual(self.sender.limit(Limit.CONNECTION_OCTETS), 1 << 20)
        self.assertEqual(self.sender.max_frame_size, 1 << 16)
        self.sender.max_frame_size = 4096
        self.assertEqual(self.sender.max_frame_size, 4096)
        self.sender.max_frame_size = None
        self.assertEqual(self.sender.max_frame_size, 1 << 16)
        self.assertEqual(self.sender.all_partial_octets, 1 << 30)
        self.sender.all_partial_octets = 1 << 20
        self.assertEqual(self.sender.all_partial_octets, 1 << 20)
        with self.assertRaises(MessageException):
            self.sender.set_limit(99, 1)

    def test_what_a_peer_asks_as_to_silence_is_known(self):
        self.assertIsNone(self.sender.remote_idle_timeout(self.address))
        self.receiver.set_idle_timeout(8)
        self.put("x")
        self.receive()
        self.assertIn(self.sender.remote_idle_timeout(self.address), (4, 8))

    def test_checked_routes_are_tried_at_start(self):
        self.sender.route("*", self.address)
        self.sender.set_check_routes(True)
        self.sender.blocking = False
        with self.assertRaises(WouldBlock):
            self.sender.start()

        def started():
            try:
                self.sender.start()
            except WouldBlock:
                return False
            return True

        self.until(started)
        self.receiver = None
        self.sender.blocking = True
        self.sender.stop()
        with self.assertRaises(ConnectionFailed):
            self.sender.start()


class Threads(Pair):
    def test_a_messenger_in_use_by_another_thread_says_so(self):
        waiting = threading.Thread(target=lambda: self.assertRaises(Interrupt, self.receiver.recv))
        waiting.start()
        deadline = time.monotonic() + PATIENCE
        with self.assertRaises(Busy) as raised:
            # The other thread is in there nearly all the time.
            while time.monotonic() < deadline:
                self.receiver.incoming
        self.assertIsInstance(raised.exception, MessengerException)
        self.assertIn("one thread at a time", str(raised.exception))
        self.receiver.interrupt()
        waiting.join()
        self.assertEqual(self.receiver.incoming, 0)


class Sending(Pair):
    def test_a_message_arrives_as_it_was(self):
        self.put({"greeting": "Hello World!"}, subject="test", properties={"n": 1})
        (message,), _ = self.receive()
        self.assertEqual(message.body, {"greeting": "Hello World!"})
        self.assertEqual((message.subject, message.properties), ("test", {"n": 1}))
        self.assertEqual(message.address, self.address)

    def test_trackers_tell_the_outcome(self):
        self.sender.outgoing_window = self.receiver.incoming_window = -1
        self.assertEqual((self.sender.outgoing_window, self.receiver.incoming_window), (-1, -1))
        put = [self.put(i) for i in range(5)]
        self.assertEqual([self.sender.status(tracker) for tracker in put], [PENDING] * 5)
        _, got = self.receive(5)
        self.receiver.reject(got[1], condition="amqp:not-allowed", description="not on Sundays", info={"until": "Monday"})
        self.receiver.release(got[2])
        self.receiver.modify(got[3], undeliverable_here=True, annotations={"x-opt-tried": True})
        self.receiver.accept()
        self.until(lambda: self.sender.outgoing == 0)
        expected = [ACCEPTED, REJECTED, RELEASED, MODIFIED, ACCEPTED]
        self.assertEqual([self.sender.status(tracker) for tracker in put], expected)
        self.assertEqual(self.sender.condition(put[1]), "amqp:not-allowed")
        self.assertEqual(self.sender.condition_description(put[1]), "not on Sundays")
        self.assertEqual(self.sender.condition_info(put[1]), {symbol("until"): "Monday"})
        self.assertIsNone(self.sender.condition_info(put[0]))
        self.assertIsNotNone(self.sender.reason_status(put[1]))
        self.assertIn("not on Sundays", self.sender.reason(put[1]))
        self.assertIsNone(self.sender.condition(put[0]))
        self.assertEqual(str(self.sender.status(put[0])), "ACCEPTED")
        self.assertEqual(self.sender.outgoing_tracker, put[4])
        self.assertEqual(self.receiver.incoming_tracker, got[4])
        self.sender.settle()
        self.assertEqual(self.sender.status(put[0]), UNKNOWN)

    def test_send_and_recv_wait_for_each_other(self):
        self.sender.outgoing_window = 10
        received = []

        def receive():
            message = Message()
            while len(received) < 100:
                self.receiver.recv()
                while self.receiver.incoming:
                    self.receiver.get(message)
                    received.append(message.body)
            # The last messages are accepted by what stop has to say.
            self.receiver.stop()

        thread = threading.Thread(target=receive)
        thread.start()
        for i in range(100):
            tracker = self.put(i)
            if i == 49:
                self.sender.send(10)
        self.sender.send()
        self.assertEqual(self.sender.status(tracker), ACCEPTED)
        thread.join(PATIENCE)
        self.assertEqual(received, list(range(100)))
        self.sender.stop()
        self.assertTrue(self.sender.stopped)

    def test_routes_and_rewrites(self):
        self.sender.route("colour/%", self.address)
        self.sender.rewrite("colour/%", "$1")
        self.sender.put(Message(address="colour/green"))
        (message,), _ = self.receive()
        self.assertEqual(message.address, "green")
        self.assertTrue(self.sender.remove_rewrite("colour/%"))
        self.assertFalse(self.sender.remove_rewrite("colour/%"))
        self.sender.rewrite("*", None)
        self.sender.put(Message(address="colour/red"))
        (message,), _ = self.receive()
        self.assertIsNone(message.address)
        self.assertTrue(self.sender.remove_route("colour/%"))
        self.sender.clear_rules()
        self.assertFalse(self.sender.remove_rewrite("*"))

    def test_the_trace_can_be_read(self):
        self.sender.set_tracing(True)
        self.put("traced")
        self.receive()
        self.assertTrue(any("@transfer" in line for line in self.sender.trace()))

    def test_iteration_accepts_what_was_dealt_with(self):
        self.sender.outgoing_window = self.receiver.incoming_window = 10
        put = [self.put(i) for i in range(3)]
        self.sender.blocking = False
        self.sender.send()
        stop = threading.Event()

        def work():
            while not stop.is_set():
                self.sender.work(0.01)

        thread = threading.Thread(target=work)
        thread.start()
        bodies = []
        for message in self.receiver:
            bodies.append(message.body)
            if len(bodies) == 3:
                break
        stop.set()
        thread.join(PATIENCE)
        self.assertEqual(bodies, [0, 1, 2])
        self.until(lambda: self.sender.status(put[1]) == ACCEPTED)
        # The loop was left before it asked for the next message.
        self.assertEqual(self.sender.status(put[2]), PENDING)

    def test_a_connection_that_cannot_be_made(self):
        self.receiver.stop()
        self.sender.reconnect = None
        self.sender.outgoing_window = 1
        tracker = self.put("lost")
        with self.assertRaises(ConnectionFailed) as caught:
            self.sender.send()
        self.assertIn(str(self.port), str(caught.exception))
        self.assertEqual(self.sender.status(tracker), ABORTED)


class Waiting(Pair):
    def test_timeout(self):
        for timeout in [0, 0.05, 0.25]:
            self.receiver.timeout = timeout
            begin = time.monotonic()
            self.assertRaises(Timeout, self.receiver.recv)
            elapsed = time.monotonic() - begin
            self.assertGreaterEqual(elapsed, timeout * 0.9)
            self.assertLess(elapsed, timeout + 5)
        self.receiver.timeout = None
        self.assertIsNone(self.receiver.timeout)

    def test_interrupt_from_another_thread(self):
        self.receiver.timeout = None
        thread = threading.Timer(0.2, self.receiver.interrupt)
        thread.start()
        self.assertRaises(Interrupt, self.receiver.recv)
        thread.join()

    def test_other_threads_run_while_one_waits(self):
        ticks = 0
        waiting = threading.Event()

        def wait():
            waiting.set()
            self.assertRaises(Interrupt, self.receiver.recv)

        self.receiver.timeout = None
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.wait()
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            ticks += 1
        self.receiver.interrupt()
        thread.join(PATIENCE)
        self.assertFalse(thread.is_alive())
        self.assertGreater(ticks, 1000)

    def test_keyboard_interrupt(self):
        self.receiver.timeout = None
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
        begin = time.monotonic()
        self.assertRaises(KeyboardInterrupt, self.receiver.recv)
        self.assertLess(time.monotonic() - begin, 5)

    def test_signal_handlers_run_and_the_wait_goes_on(self):
        ran = []
        before = signal.signal(signal.SIGUSR1, lambda *_: ran.append(1))
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGUSR1]).start()
        self.receiver.timeout = 0.6
        self.assertRaises(Timeout, self.receiver.recv)
        self.assertEqual(ran, [1])

    def test_non_blocking(self):
        self.receiver.blocking = False
        begin = time.monotonic()
        self.assertIsNone(self.receiver.recv())
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(self.receiver.incoming, 0)
        self.assertFalse(self.receiver.work(0))

    def test_stop_keeps_to_the_timeout(self):
        # Somebody who listens and never says a word.
        import socket

        mute = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(mute.close)
        self.sender.outgoing_window = 1
        self.sender.timeout = 0.3
        tracker = self.sender.put(Message(address=f"127.0.0.1:{mute.getsockname()[1]}/x"))
        begin = time.monotonic()
        self.assertRaises(MessengerException, self.sender.stop)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(self.sender.status(tracker), ABORTED)


class Mistakes(unittest.TestCase):
    def test_each_has_its_exception(self):
        messenger = Messenger()
        self.assertRaises(MessengerException, messenger.recv)
        self.assertRaises(EndOfQueue, messenger.get, Message())
        self.assertRaises(MessengerException, messenger.put, Message())
        self.assertRaises(MessengerException, messenger.subscribe, "amqp://[::1")
        self.assertRaises(MessengerException, messenger.status, 0)
        self.assertRaises(ValueError, messenger.subscribe, "a\0b")
        self.assertRaises(TypeError, messenger.subscribe, 7)
        self.assertIsNone(messenger.outgoing_tracker)
        self.assertIsNone(messenger.accept())

    def test_a_messenger_is_used_by_one_thread_at_a_time(self):
        messenger = Messenger()
        messenger.subscribe("~127.0.0.1:0")

        def wait():
            while True:
                try:
                    messenger.recv()
                except Interrupt:
                    return
                except MessengerException:
                    # The other thread was in at this very moment; then this one is refused.
                    pass

        thread = threading.Thread(target=wait)
        thread.start()
        deadline = time.monotonic() + PATIENCE
        with self.assertRaisesRegex(MessengerException, "one thread"):
            while time.monotonic() < deadline:
                messenger.incoming
        messenger.interrupt()
        thread.join(PATIENCE)

    def test_objects_outlive_what_was_made_from_them(self):
        subscription = Messenger().subscribe("~127.0.0.1:0")
        self.assertIsNotNone(subscription.port)

    def test_start_stop_and_with(self):
        with Messenger("name") as messenger:
            self.assertEqual(messenger.name, "name")
            messenger.subscribe("~127.0.0.1:0")
            self.assertFalse(messenger.stopped)
        self.assertTrue(messenger.stopped)


if __name__ == "__main__":
    unittest.main()
