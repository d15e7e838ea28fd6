"""The programs of docs/python.md about the engine and asyncio, as they stand there."""

import asyncio
import contextlib
import io
import os
import re
import unittest
from pathlib import Path

PKI = os.environ.get("FERRION_TEST_PKI")
PAGE = Path(__file__).resolve().parents[3] / "docs" / "python.md"


def programs(*, having):
    """The programs of the page in which this stands."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return [block for block in blocks if having in block]


class Page(unittest.TestCase):
    def says(self, program, *lines):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(program, str(PAGE), "exec"), {"__name__": "__main__"})
        self.assertEqual(said.getvalue().splitlines(), list(lines))

    def test_two_engines_talk_in_memory(self):
        (program,) = programs(having="Engine.client")
        self.says(program, "Hello World!", "True Accepted()", "True True")

    def test_a_server_and_a_client_talk_in_one_asyncio_loop(self):
        (program,) = programs(having="async with await serve")
        self.says(program, "greetings Hello", "greetings World", "[Accepted(), Accepted()]")

    @unittest.skipUnless(PKI, "FERRION_TEST_PKI names no folder of certificates")
    def test_a_server_knows_its_clients_by_their_certificates(self):
        (program,) = programs(having="peer_certificate")
        seen = []

        async def on_link(link):
            seen.append(link.connection.user)
            link.accept()
            await link.closed()

        async def meet():
            page = {}
            # No port is free for certain but one that the system has chosen.
            program_here = program.replace("5671", "PORT").replace("None, PORT", '"127.0.0.1", PORT').replace("example.com", "127.0.0.1")
            exec(compile(program_here, str(PAGE), "exec"), page)
            page["PORT"] = 0
            async with await page["server"](on_link) as server:
                page["PORT"] = server.port
                async with await page["client"]() as connection:
                    await connection.attach_sender("queue")

        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(PKI)
        asyncio.run(meet())
        self.assertEqual(seen, ["client"])


if __name__ == "__main__":
    unittest.main()
