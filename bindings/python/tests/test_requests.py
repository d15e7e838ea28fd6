"""Requests and replies."""

import signal
import threading
import time
import os
import unittest

from ferrion import *
from pair import PATIENCE, Pair


class Requests(Pair):
    def setUp(self):
        super().setUp()
        self.receiver.incoming_window = -1

    def ask(self, body):
        return self.sender.send_request(Message(address=self.address, body=body))

    def answer(self, message, tracker, body):
        self.receiver.put(self.receiver.reply_to(message, body, tracker))
        self.receiver.accept(tracker)

    def test_many_replies_find_their_requests(self):
        requests = [self.ask(n) for n in range(10)]
        self.assertEqual(self.sender.requests, 10)
        self.assertIsNone(self.sender.poll_reply(requests[0]))
        messages, trackers = self.receive(10)
        for message, tracker in reversed(list(zip(messages, trackers))):
            self.answer(message, tracker, {"twice": 2 * message.body})
        replies = {}

        def all_came():
            for request in requests:
                reply = request not in replies and self.sender.poll_reply(request)
                if reply:
                    replies[request] = reply.body["twice"]
            return len(replies) == 10

        self.until(all_came)
        self.assertEqual([replies[request] for request in requests], [2 * n for n in range(10)])
        self.assertEqual(self.sender.requests, 0)
        self.assertRaises(MessengerException, self.sender.reply, requests[0])

    def test_request_waits_for_the_reply(self):
        def serve():
            request = Message()
            for _ in range(3):
                self.receiver.recv()
                tracker = self.receiver.get(request)
                self.answer(request, tracker, request.body.upper())
            self.receiver.stop()

        server = threading.Thread(target=serve)
        server.start()
        question = Message(address=self.address)
        for text in ["a", "b", "c"]:
            question.body = text
            reply = self.sender.request(question)
            self.assertEqual(reply.body, text.upper())
            self.assertIsNotNone(reply.correlation_id)
        self.assertIsNone(question.reply_to, "the request itself stays as it is")
        server.join(PATIENCE)

    def test_a_request_has_its_time(self):
        self.sender.timeout = 0.25
        begin = time.monotonic()
        self.assertRaises(Timeout, self.sender.request, Message(address=self.address))
        self.assertGreater(time.monotonic() - begin, 0.2)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(self.sender.requests, 0)

    def test_ctrl_c_ends_the_wait_and_the_request(self):
        self.sender.timeout = None
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
        begin = time.monotonic()
        self.assertRaises(KeyboardInterrupt, self.sender.request, Message(address=self.address))
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(self.sender.requests, 0)

    def test_what_is_refused_has_no_reply(self):
        request = self.ask("rude")
        _, (tracker,) = self.receive()
        self.receiver.reject(tracker, condition="example:rude", description="say please")
        self.sender.blocking = False
        with self.assertRaises(MessengerException) as caught:
            self.until(lambda: self.sender.poll_reply(request))
        self.assertEqual(caught.exception.condition, "example:rude")

    def test_a_request_can_be_given_up(self):
        request = self.ask("never mind")
        self.assertTrue(self.sender.cancel_request(request))
        self.assertFalse(self.sender.cancel_request(request))
        self.assertRaises(MessengerException, self.sender.poll_reply, request)

    def test_without_waiting_request_says_what_to_do_instead(self):
        self.sender.blocking = False
        with self.assertRaisesRegex(MessengerException, "send_request"):
            self.sender.request(Message(address=self.address))
        request = self.ask("later")
        self.assertRaises(WouldBlock, self.sender.reply, request)
        (message,), (tracker,) = self.receive()
        self.answer(message, tracker, "now")
        self.until(lambda: self.sender.requests and self.replied(request))

    def replied(self, request):
        try:
            return self.sender.reply(request).body == "now"
        except WouldBlock:
            return False

    def test_there_is_no_reply_to_what_asks_for_none(self):
        self.put("no reply-to")
        (message,), (tracker,) = self.receive()
        self.assertRaises(MessengerException, self.receiver.reply_to, message)
        self.assertRaises(MessengerException, self.receiver.reply_to, message, tracker=0)


class Batches(Pair):
    def test_many_are_put_and_got(self):
        self.sender.outgoing_window = self.receiver.incoming_window = -1
        trackers = self.sender.put_many(Message(address=self.address, body=n) for n in range(100))
        self.assertEqual(len(set(trackers)), 100)
        self.receiver.blocking = False
        self.receiver.recv()
        self.assertEqual(self.receiver.get_many(), [])
        self.until(lambda: self.receiver.incoming == 100)
        first = self.receiver.get_many(30)
        rest = self.receiver.get_many()
        self.assertEqual([message.body for message in first + rest], list(range(100)))
        self.receiver.accept()
        self.until(lambda: self.sender.outgoing == 0)
        self.assertEqual({self.sender.status(tracker) for tracker in trackers}, {ACCEPTED})

    def test_what_could_be_put_is_told(self):
        self.sender.high_water = (2, 1000)
        self.assertEqual(self.sender.high_water, (2, 1000))
        self.sender.incoming_high_water = (3, 2000)
        self.assertEqual(self.sender.incoming_high_water, (3, 2000))
        self.sender.blocking = False
        messages = [Message(address=self.address, body=n) for n in range(3)]
        with self.assertRaises(Overflow) as caught:
            self.sender.put_many(messages)
        self.assertEqual(len(caught.exception.trackers), 2)

    def test_encoded_messages_and_forwarding(self):
        tracker = self.sender.put_encoded(self.address, Message(address="elsewhere", body="octets").encode())
        self.assertEqual(tracker, self.sender.outgoing_tracker)
        (message,), _ = self.receive()
        self.assertEqual((message.body, message.address), ("octets", "elsewhere"))
        message.annotations = {"x-opt-hop": 1}
        self.receiver.forward(message, self.address)
        (message,), _ = self.receive()
        self.assertEqual((message.body, message.address, message.annotations), ("octets", "elsewhere", {symbol("x-opt-hop"): 1}))
        self.assertRaises(MessageException, self.sender.put_encoded, self.address, b"\x00\x53\xff")
        self.assertRaises(MessengerException, self.sender.forward, message, "")


if __name__ == "__main__":
    unittest.main()
