"""Seconds, which Python counts in, and milliseconds, which the header does."""

from __future__ import annotations

from math import ceil

# More than this is for ever.
_LONGEST = 2**63 - 1


def milliseconds(seconds: float | None) -> int:
    """Whole milliseconds, and no fewer than the seconds are; None and negative seconds are for ever, which is -1."""
    if seconds is None:
        return -1
    if checked(seconds) < 0:
        return -1
    # What floating point adds in the last place does not make another millisecond.
    return min(ceil(round(seconds * 1000, 3)), _LONGEST) if seconds < _LONGEST / 1000 else -1


def checked(seconds: float) -> float:
    """The same, if it is a number: of whatever type, as decimals and fractions are such."""
    try:
        seconds - 0
    except TypeError:
        raise TypeError(f"a time is a number of seconds, not {seconds!r}") from None
    return seconds


def seconds(milliseconds: int) -> float | None:
    """Seconds; None is for ever."""
    return None if milliseconds < 0 else milliseconds / 1000
