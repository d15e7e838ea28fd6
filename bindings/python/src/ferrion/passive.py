"""Passive mode, for programs that have a loop of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .messenger import Messenger

__all__ = ["Selectable"]


class Selectable:
    """What a loop over ``select`` watches for a passive messenger, with the names of old; new programs watch the messenger itself, by
    its ``fileno``.

    There is one for all that a messenger has to do with the world, and it is never waited for to become writable.
    """

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger
        #: For the loop's own use.
        self.registered = False

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._messenger.fileno()

    @property
    def reading(self) -> bool:
        """Whether to wait until it is readable. A loop that asks this is about to wait, so what is due is done before."""
        if self._messenger.due_in == 0:
            self._messenger.work(0)
        return True

    @property
    def writing(self) -> bool:
        """Whether to wait until it is writable."""
        return False

    @property
    def deadline(self) -> float | None:
        """The :attr:`Messenger.deadline`."""
        return self._messenger.deadline

    @property
    def is_terminal(self) -> bool:
        """Whether the loop can forget it."""
        return False

    def readable(self) -> None:
        """It is readable."""
        self._messenger.work(0)

    def writable(self) -> None:
        """It is writable."""

    def expired(self) -> None:
        """The deadline has passed."""
        self._messenger.work(0)

    def release(self) -> None:
        """The loop has forgotten it."""
