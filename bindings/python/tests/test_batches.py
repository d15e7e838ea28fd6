"""Many messages with one call."""

import threading
import time
import unittest

from ferrion import *
from pair import PATIENCE, Pair


class Batches(Pair):
    def receive_all(self, n):
        self.receiver.blocking = False
        self.receiver.recv(n)
        self.until(lambda: self.receiver.incoming >= n)
        return self.receiver.get_many()

    def test_batches_of_any_size_arrive_in_order(self):
        self.sender.outgoing_window = self.receiver.incoming_window = 1000
        self.assertEqual(self.sender.put_many([]), [])
        messages = [Message(address=self.address, body=n, properties={"n": n}) for n in range(600)]
        trackers = self.sender.put_many(tuple(messages))
        self.assertEqual((len(set(trackers)), trackers[-1]), (600, self.sender.outgoing_tracker))
        got = self.receive_all(600)
        self.assertEqual([(message.body, message.properties) for message in got], [(n, {"n": n}) for n in range(600)])
        self.assertEqual(self.receiver.get_many(), [])
        self.receiver.accept()
        self.until(lambda: self.sender.status(trackers[-1]) == ACCEPTED)
        self.assertEqual({self.sender.status(tracker) for tracker in trackers}, {ACCEPTED})

    def test_no_more_than_was_asked_for_is_got(self):
        self.sender.put_many([Message(address=self.address, body=n) for n in range(5)])
        self.receiver.blocking = False
        self.receiver.recv(5)
        self.until(lambda: self.receiver.incoming == 5)
        self.assertEqual([message.body for message in self.receiver.get_many(2)], [0, 1])
        self.assertEqual(self.receiver.get_many(-1), [])
        self.assertEqual([message.body for message in self.receiver.get_many(100)], [2, 3, 4])

    def test_one_message_can_be_put_again_and_again(self):
        message = Message(address=self.address)

        def bodies():
            for n in range(3):
                message.body = n
                yield message

        self.assertEqual(len(self.sender.put_many(bodies())), 3)
        self.sender.put_many([message, message])
        self.assertEqual([message.body for message in self.receive_all(5)], [0, 1, 2, 2, 2])

    def test_what_is_before_a_message_that_cannot_be_put_is_put(self):
        good = [Message(address=self.address, body=n) for n in range(2)]
        for bad, failure in ((Message(body=3), MessengerException), (Message(address=self.address, body=object()), TypeError)):
            with self.assertRaises(failure) as caught:
                self.sender.put_many([*good, bad, good[0]])
            self.assertEqual(len(caught.exception.trackers), 2)
        self.assertEqual([message.body for message in self.receive_all(4)], [0, 1, 0, 1])

    def test_a_batch_waits_for_room_and_lets_other_threads_run(self):
        self.sender.high_water = (10, 100000)
        received, ended = [], threading.Event()

        def receive():
            self.receiver.timeout = PATIENCE
            while len(received) < 100:
                self.receiver.recv(100)
                received.extend(message.body for message in self.receiver.get_many())
            while not ended.is_set():
                self.receiver.work(0.01)

        thread = threading.Thread(target=receive)
        thread.start()
        try:
            self.sender.put_many([Message(address=self.address, body=n) for n in range(100)])
            self.sender.send()
            deadline = time.monotonic() + PATIENCE
            while len(received) < 100 and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            ended.set()
            thread.join()
        self.assertEqual(received, list(range(100)))

    def test_sections_that_were_taken_away_do_not_go_out(self):
        message = Message(address=self.address, properties={"a": 1}, annotations={"x-b": 2})
        self.sender.put(message)
        message.properties = message.annotations = None
        self.sender.put(message)
        first, second = self.receive_all(2)
        self.assertEqual((first.properties, first.annotations), ({"a": 1}, {symbol("x-b"): 2}))
        self.assertEqual((second.properties, second.annotations), (None, None))
        first.properties = None
        self.receiver.forward(first, self.address)
        (third,) = self.receive_all(1)
        self.assertEqual((third.properties, third.annotations), (None, {symbol("x-b"): 2}))
        first.clear()
        self.assertIsNone(first.annotations)
        self.assertEqual(first.encode(), Message().encode())


if __name__ == "__main__":
    unittest.main()
