"""The programs of docs/python.md about the engine and asyncio, as they stand there."""

import contextlib
import io
import re
import unittest
from pathlib import Path

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
        (program,) = programs(having="await serve")
        self.says(program, "greetings Hello", "greetings World", "[Accepted(), Accepted()]")


if __name__ == "__main__":
    unittest.main()
