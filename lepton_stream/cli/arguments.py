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
