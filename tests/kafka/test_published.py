"""Which results are shown, and when: all of the start at once, then every newer version."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import orjson

from lepton_stream.runtime.kafka.published import _News
from lepton_stream.runtime.kafka.tail import Look


def record(device: str, version: int, start: int = 0) -> Any:
    row = {"device": device, "window": "minute", "window_start": start, "version": version}
    return SimpleNamespace(key=orjson.dumps(["minute", start, device]), value=orjson.dumps(row))


def shown(rows: list[dict[str, Any]]) -> list[tuple[int, str, int]]:
    return [(r["window_start"], r["device"], r["version"]) for r in rows]


def test_nothing_is_shown_before_all_of_the_start_is_known_then_the_newest_of_each_in_order() -> None:
    news = _News()
    assert news.of(Look([record("b", 2, 60), record("a", 1, 120)], caught_up=False)) == []
    found = news.of(Look([record("b", 1, 60), record("b", 3, 60), record("c", 1, 60)], caught_up=True))
    assert shown(found) == [(60, "b", 3), (60, "c", 1), (120, "a", 1)]


def test_later_only_newer_versions_are_shown() -> None:
    news = _News()
    assert news.of(Look([], caught_up=True)) == []
    assert shown(news.of(Look([record("a", 2), record("a", 1), record("a", 3)], caught_up=True))) == [
        (0, "a", 2),
        (0, "a", 3),
    ]


def test_tombstones_and_foreign_records_are_left_out() -> None:
    news = _News()
    odd = [SimpleNamespace(key=b"k", value=None), SimpleNamespace(key=b"k", value=b"x"), record("a", 1)]
    assert shown(news.of(Look(odd, caught_up=True))) == [(0, "a", 1)]
