"""When lag stops growing, by the samples; and the whole course on a real broker, which takes minutes."""

from __future__ import annotations

import pytest

from tests.bench.throttle import main, stopped_growing

SECONDS = [float(s) for s in range(-20, 101)]


def lag(growing_until: float | None) -> list[int]:
    """A thousand that wait, and a hundred more a second from the throttling on until then."""
    return [1000 + 100 * int(min(max(s, 0), growing_until or 1000)) for s in SECONDS]


def test_the_moment_is_when_it_was_highest() -> None:
    assert stopped_growing(SECONDS, lag(25)) == 25
    after = [waits if s < 25 else 1000 for s, waits in zip(SECONDS, lag(None), strict=True)]
    assert stopped_growing(SECONDS, after) == 24


def test_what_was_usual_before_the_throttling_is_no_growth() -> None:
    before = [10_000 if s < 0 else waits for s, waits in zip(SECONDS, lag(25), strict=True)]
    assert stopped_growing(SECONDS, before) == 0


def test_lag_that_still_grows_at_the_end_has_not_stopped() -> None:
    assert stopped_growing(SECONDS, lag(None)) is None
    assert stopped_growing(SECONDS, lag(95)) is None
    assert stopped_growing([], []) is None


def test_a_ripple_is_no_growth() -> None:
    ripple = [waits + (10 if int(s) % 7 == 0 else 0) for s, waits in zip(SECONDS, lag(25), strict=True)]
    assert stopped_growing(SECONDS, ripple) == 25


@pytest.mark.slow
@pytest.mark.kafka
def test_lag_stops_growing_within_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    code = main([])
    said = capsys.readouterr().out
    if "skipped" in said:
        pytest.skip(said)
    assert code == 0, said
