"""What every test of ferrion.asyncio needs: a loop in which nothing fails unheard, and no wait without an end."""

import asyncio
import unittest
from functools import wraps

from ferrion.asyncio import connect

HERE = "127.0.0.1"
# Seconds. It bounds a failure: no test that passes waits for it.
PATIENCE = 120


def bounded(test):
    """The same test, which fails where it would hang."""

    @wraps(test)
    async def call(self):
        await asyncio.wait_for(test(self), PATIENCE)

    return call


class Loop(unittest.IsolatedAsyncioTestCase):
    """A test fails of what its loop's exception handler is told, unless it takes that out of `errors`."""

    def __init_subclass__(cls):
        for name, member in list(vars(cls).items()):
            if name.startswith("test"):
                setattr(cls, name, bounded(member))

    def setUp(self):
        self.errors = []

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: self.errors.append(context))

    async def asyncTearDown(self):
        self.assertEqual(self.errors, [])

    async def connect(self, port, *arguments, **how):
        """A connection to this port of this machine, which is closed in the end."""
        connection = await asyncio.wait_for(connect(HERE, port, *arguments, **how), PATIENCE)
        self.addAsyncCleanup(connection.close)
        return connection
