"""What somebody probably meant: the nearest of the words that would have been right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, words: Iterable[str]) -> str:
    """The word of `words` that is most like `word`, upper and lower case being alike, or "" if none is like it."""
    by_fold: dict[str, str] = {}
    for w in words:
        by_fold.setdefault(w.casefold(), w)
    # difflib is quadratic in the word's length; nothing this long is a slip of the pen
    close = get_close_matches(word[:200].casefold(), list(by_fold), n=1)
    return by_fold[close[0]] if close else ""
