"""Messengers in loops of the script's own."""

import select
import selectors
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from ferrion import *
from pair import PATIENCE, Pair

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


class Passive(Pair):
    def setUp(self):
        super().setUp()
        self.sender.passive = self.receiver.passive = True

    def test_selectors_watch_the_messenger(self):
        self.assertTrue(self.sender.passive)
        self.sender.outgoing_window = 10
        selector = selectors.DefaultSelector()
        self.addCleanup(selector.close)
        both = [self.sender, self.receiver]
        for messenger in both:
            selector.register(messenger, selectors.EVENT_READ)
        tracker = self.put("passive")
        self.assertEqual(self.sender.due_in, 0)
        self.assertLessEqual(abs(self.sender.deadline - time.time()), 5)
        self.assertIsNone(self.sender.send())
        deadline = time.monotonic() + PATIENCE
        received = []
        while self.sender.status(tracker) != ACCEPTED:
            self.assertLess(time.monotonic(), deadline)
            self.receiver.recv()
            received += self.receiver.get_many()
            selector.select(min((m.due_in for m in both if m.due_in is not None), default=None))
            for messenger in both:
                messenger.work(0)
        self.assertEqual([message.body for message in received], ["passive"])
        self.assertEqual(self.sender.fileno(), self.sender.fileno())

    def test_iteration_takes_what_is_there(self):
        self.put("one")
        self.put("two")
        self.receiver.recv()
        self.until(lambda: self.receiver.incoming == 2)
        self.assertEqual([message.body for message in self.receiver], ["one", "two"])
        self.assertEqual(list(self.receiver), [])

    def test_an_interrupt_wakes_the_loop(self):
        threading.Timer(0.1, self.sender.interrupt).start()
        readable, _, _ = select.select([self.sender], [], [], PATIENCE)
        self.assertEqual(readable, [self.sender])
        self.assertRaises(Interrupt, self.sender.work, 0)

    def test_a_loop_with_the_names_of_old(self):
        # As scripts wrote it that drove several messengers by select.
        selectables = []

        def pump_once():
            for messenger in [self.sender, self.receiver]:
                while True:
                    selectable = messenger.selectable()
                    if not selectable:
                        break
                    selectables.append(selectable)
            reading, writing = [], []
            for selectable in selectables[:]:
                if selectable.is_terminal:
                    selectable.release()
                    selectables.remove(selectable)
                else:
                    if selectable.reading:
                        reading.append(selectable)
                    if selectable.writing:
                        writing.append(selectable)
            readable, writable, _ = select.select(reading, writing, [], 0.1)
            for selectable in readable:
                selectable.readable()
            for selectable in writable:
                selectable.writable()

        deadline = time.monotonic() + PATIENCE
        for n in range(16):
            self.put(n)
        self.receiver.recv()
        while self.receiver.incoming < 16:
            self.assertLess(time.monotonic(), deadline)
            pump_once()
        message = Message()
        for n in range(16):
            self.receiver.get(message)
            self.assertEqual(message.body, n)
        self.sender.stop()
        self.receiver.stop()
        while not (self.sender.stopped and self.receiver.stopped):
            self.assertLess(time.monotonic(), deadline)
            pump_once()


class Scripts(unittest.TestCase):
    """The examples that take addresses, as a user starts them."""

    def start(self, script, *arguments, **options):
        command = [sys.executable, "-u", str(EXAMPLES / script), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        line = process.stdout.readline()
        self.assertTrue(line.startswith("listening on port "), line)
        return process, int(line.split()[-1])

    def run_script(self, script, *arguments):
        command = [sys.executable, "-X", "dev", str(EXAMPLES / script), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)

    def test_requests(self):
        _, port = self.start("request_server.py", "~127.0.0.1:0")
        for script in ["request_client.py", "asyncio_loop.py"]:
            with self.subTest(script):
                asked = self.run_script(script, f"127.0.0.1:{port}/capitals", "hello", "wörld")
                self.assertEqual(asked.stdout, "hello: HELLO\nwörld: WÖRLD\n")
                # On a slow machine asyncio tells which steps took long.
                errors = [line for line in asked.stderr.splitlines() if not line.startswith("Executing ")]
                self.assertEqual(errors, [])

    def test_a_loop_around_selectors(self):
        with Messenger() as other:
            other.timeout = PATIENCE
            port = other.subscribe("~127.0.0.1:0").port
            loop, its_port = self.start("selectors_loop.py", "~127.0.0.1:0", f"127.0.0.1:{port}", stdin=subprocess.PIPE)
            message = Message(address=f"127.0.0.1:{its_port}", body="from outside")
            other.put(message)
            other.send()
            self.assertEqual(loop.stdout.readline(), "from outside\n")
            loop.stdin.write("typed\nin two lines\n")
            loop.stdin.close()
            for line in ["typed", "in two lines"]:
                while not other.incoming:
                    other.recv()
                other.get(message)
                self.assertEqual(message.body, line)
            self.assertEqual(loop.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
