"""The scripts of examples/, as a user starts them, and scripts that were written for the Messenger of old.

They use the port of AMQP, 5672, so each pair runs in a network of its own, where the port is free and nobody else hears.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent
EXAMPLES = TESTS.parent / "examples"
OLD_STYLE = TESTS / "old_style"
PATIENCE = 30

# Runs in the new network: brings its loopback interface up, then becomes the receiver.
BEGIN = """
import fcntl, os, socket, struct, sys
with socket.socket() as s:
    SIOCSIFFLAGS, IFF_UP = 0x8914, 1
    fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def new_network():
    """The command that runs another one in a network of its own, or None where the system does not allow that."""
    if not shutil.which("unshare"):
        return None
    for command in [["unshare", "--net"], ["unshare", "--map-root-user", "--net"]]:
        if subprocess.run([*command, sys.executable, "-c", BEGIN, "-c", ""], capture_output=True).returncode == 0:
            return command
    return None


class Scripts(unittest.TestCase):
    def setUp(self):
        self.unshare = new_network()
        if self.unshare is None:
            self.skipTest("this system gives us no network of our own, and port 5672 is not ours to take")

    def start_receiver(self, script, *arguments):
        command = [*self.unshare, sys.executable, "-c", BEGIN, "-u", str(EXAMPLES / script), *arguments]
        receiver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(receiver.stdout.close)
        self.addCleanup(receiver.stderr.close)
        self.addCleanup(receiver.wait)
        self.addCleanup(receiver.kill)
        deadline = time.monotonic() + PATIENCE
        listening = f"{5672:04X} 00000000:0000 0A"
        while listening not in Path(f"/proc/{receiver.pid}/net/tcp").read_text():
            self.assertIsNone(receiver.poll(), "the receiver ended")
            self.assertLess(time.monotonic(), deadline, "the receiver does not listen")
            time.sleep(0.01)
        return receiver

    def run_sender(self, script, receiver, *arguments):
        """Runs a script in the network of the receiver."""
        enter = ["nsenter", f"--net=/proc/{receiver.pid}/ns/net"]
        if "--map-root-user" in self.unshare:
            enter[1:1] = [f"--user=/proc/{receiver.pid}/ns/user", "--preserve-credentials"]
        sent = subprocess.run(
            [*enter, sys.executable, str(EXAMPLES / script), *arguments], capture_output=True, text=True, timeout=PATIENCE
        )
        self.assertEqual(sent.returncode, 0, sent.stderr)
        return sent.stdout

    def interrupt(self, receiver):
        """Ctrl-C ends the receiver's endless loop."""
        receiver.send_signal(signal.SIGINT)
        _, errors = receiver.communicate(timeout=PATIENCE)
        self.assertIn("KeyboardInterrupt", errors)
        self.assertIn(receiver.returncode, (-signal.SIGINT, 128 + signal.SIGINT))

    def test_send_and_receive(self):
        receiver = self.start_receiver("receive.py")
        for _ in range(3):
            self.assertEqual(self.run_sender("send.py", receiver), "")
            self.assertEqual(receiver.stdout.readline(), "Hello World!\n")
        self.interrupt(receiver)

    def test_send_and_receive_reliably(self):
        receiver = self.start_receiver("receive_reliably.py")
        for _ in range(3):
            self.assertEqual(self.run_sender("send_reliably.py", receiver), "ACCEPTED\n")
            self.assertEqual(receiver.stdout.readline(), "Hello World!\n")
        self.interrupt(receiver)

    def with_another_import(self, script):
        """A copy of a script of old in which nothing but the import is changed."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        text = (OLD_STYLE / script).read_text()
        self.assertEqual(text.count("proton"), 1)
        copy = Path(folder.name) / script
        copy.write_text(text.replace("from proton import *", "from ferrion import *"))
        return copy

    def test_scripts_of_old_need_only_another_import(self):
        server = self.start_receiver(self.with_another_import("serve.py"), "--number", "4")
        said = self.run_sender(self.with_another_import("ask.py"), server, "stressed", "drawer", "tram")
        self.assertEqual(
            said.splitlines(),
            [
                "stopped at first: True",
                "nothing to get",
                "no message",
                "stressed ACCEPTED True False",
                "drawer ACCEPTED True False",
                "tram ACCEPTED True False",
                "settled [False, False, False]",
                "0 desserts {'served': 0}",
                "1 reward {'served': 1}",
                "2 mart {'served': 2}",
                "timeout, receiving 1",
                "interrupted",
                "work False",
                "sing REJECTED False",
                "stopped True",
            ],
        )
        served, errors = server.communicate(timeout=PATIENCE)
        self.assertEqual(errors, "")
        self.assertEqual(
            served.splitlines(), ["served stressed", "served drawer", "served tram", "rejected sing", "stopped"]
        )
        self.assertEqual(server.returncode, 0)


if __name__ == "__main__":
    unittest.main()
