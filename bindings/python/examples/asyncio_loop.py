"""A messenger in an asyncio loop: asks a question with each text, all at the same time, while other tasks run.

python asyncio_loop.py 127.0.0.1:5680/capitals hello world
"""

from __future__ import annotations

import asyncio
import sys
from typing import Callable, TypeVar

from ferrion import *

Found = TypeVar("Found")


class Driven:
    """Lets the asyncio loop that runs do the work of a messenger."""

    def __init__(self, messenger: Messenger) -> None:
        self.messenger = messenger
        self.loop = asyncio.get_running_loop()
        self.news = asyncio.Event()
        self.timer: asyncio.TimerHandle | None = None
        messenger.passive = True
        self.loop.add_reader(messenger, self.work)

    def work(self) -> None:
        """The descriptor is readable, or the deadline has passed."""
        self.messenger.work(0)
        news, self.news = self.news, asyncio.Event()
        news.set()
        self.plan()

    def plan(self) -> None:
        """What the messenger was told to do is due now, so this follows each call to it."""
        if self.timer:
            self.timer.cancel()
        due = self.messenger.due_in
        self.timer = None if due is None else self.loop.call_at(self.loop.time() + due, self.work)

    async def until(self, look: Callable[[], Found | None]) -> Found:
        """What `look` finds, after as much work as it takes to find it."""
        while not (found := look()):
            self.plan()
            await self.news.wait()
        return found

    async def request(self, message: Message) -> Message:
        """The reply to a message."""
        request = self.messenger.send_request(message)
        try:
            return await self.until(lambda: self.messenger.poll_reply(request))
        finally:
            self.messenger.cancel_request(request)

    async def stop(self) -> None:
        self.messenger.stop()
        await self.until(lambda: self.messenger.stopped)
        self.loop.remove_reader(self.messenger)
        if self.timer:
            self.timer.cancel()


async def main(address: str, *texts: str) -> None:
    driven = Driven(Messenger())
    driven.messenger.timeout = 10
    questions = (driven.request(Message(address=address, body=text)) for text in texts)
    for text, reply in zip(texts, await asyncio.gather(*questions)):
        print(f"{text}: {reply.body}")
    await driven.stop()


asyncio.run(main(*sys.argv[1:]))
