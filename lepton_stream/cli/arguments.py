"""Arguments as people type them."""

from __future__ import annotations

from collections.abc import Sequence

SEVERAL = ("--input", "-i")


def spread(argv: Sequence[str]) -> list[str]:
    """`--input a b c` becomes `--input a --input b --input c`, so that a shell's `data/*.csv.gz` works.

    >>> spread(["run", "p", "--input", "a", "b", "--output", "-"])
    ['run', 'p', '--input', 'a', '--input', 'b', '--output', '-']
    """
    out: list[str] = []
    option = ""  # the option that further values belong to
    waiting = False  # whether its first value has not come yet
    for word in argv:
        if word in SEVERAL:
            option, waiting = word, True
            out.append(word)
        elif word.startswith("-") and word != "-":
            option = ""
            out.append(word)
        elif option and not waiting:
            out += [option, word]
        else:
            waiting = False
            out.append(word)
    return out


def printable(text: str) -> str:
    """Text of the data's own choosing as it may go to a terminal: what would steer it is shown instead of done."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
