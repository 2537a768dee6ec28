"""Text that others chose, as it may go to a terminal or a log: what would steer it is shown instead of done."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Control characters, line ends and what turns the direction of writing are escaped.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
