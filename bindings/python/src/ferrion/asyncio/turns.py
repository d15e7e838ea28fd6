"""Who waits for what, in which order."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import count, takewhile


class Turns:
    """Who waits, first come first served."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._numbers = count()
        #: Turns that were given to somebody who has not run since.
        self.given = 0

    @property
    def is_busy(self) -> bool:
        """Whether somebody is before whoever comes now."""
        return self.given > 0 or bool(self._waiting)

    async def wait(self, number: int | None = None) -> int:
        """Waits for a turn. If it turns out to be of no use, the number answered is for waiting again, at the same place."""
        future = asyncio.get_running_loop().create_future()
        at = len(self._waiting)
        if number is None:
            number = next(self._numbers)
        else:
            # Those who have had a turn before are few, and at the front.
            at = sum(1 for _ in takewhile(lambda one: one[0] < number, self._waiting))
        mine = (number, future)
        self._waiting.insert(at, mine)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():
                # The turn is for somebody else.
                self.given -= 1
                self.next()
            elif mine in self._waiting:
                self._waiting.remove(mine)
            raise
        self.given -= 1
        return number

    def next(self, n: int = 1) -> None:
        """Lets the first of them try."""
        while n > 0 and self._waiting:
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                self.given += 1
                n -= 1

    def all(self) -> None:
        """Lets all of them try."""
        self.next(len(self._waiting))
