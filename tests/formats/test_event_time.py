from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.columns import Column, Numbers, text_from_strings
from lepton_stream.formats.event_time import event_times
from lepton_stream.formats.iso_times import usual_times
from lepton_stream.formats.zones import EARLIEST, LATEST, local_to_utc
from lepton_stream.pipeline.plan import TimeUnit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OLD, NEW = datetime(1850, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001  local times of any zone


def one(column: Column, unit: TimeUnit, zone: str = "UTC") -> int | None:
    times, bad = event_times(column, unit, zone)
    assert times.dtype == np.int64
    return None if bad[0] else int(times[0])


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1700000000.3, "s", 1_700_000_000_300_000),
        (-0.0000004, "s", 0),
        (-1.5, "s", -1_500_000),
        (1700000000123.4567, "ms", 1_700_000_000_123_457),
        (1.6, "us", 2),
        (1999.0, "ns", 1),
        (-1.0, "ns", -1),
        (1e300, "s", None),
        (253402300800.0, "s", None),
        (253402300799.0, "s", 253_402_300_799_000_000),
        (-62135596800.5, "s", None),
    ],
)
def test_floats_become_the_nearest_microsecond(value: float, unit: TimeUnit, expected: int | None) -> None:
    assert one(Numbers(np.array([value])), unit) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (253402300799, "s", 253_402_300_799_000_000),
        (253402300800, "s", None),
        (2**63 - 1, "s", None),
        (-(2**63), "ms", None),
        (2**63 - 1, "us", None),
        (2**63 - 1, "ns", (2**63 - 1) // 1000),
        (-1, "ns", -1),
        (LATEST, "us", LATEST),
        (LATEST + 1, "us", None),
        (EARLIEST, "us", EARLIEST),
    ],
)
def test_integers_are_taken_exactly(value: int, unit: TimeUnit, expected: int | None) -> None:
    assert one(Numbers(np.array([value], np.int64)), unit) == expected


@given(st.integers(-(10**15), 10**16))
def test_seconds_with_six_digits_come_back_exactly(us: int) -> None:
    if abs(us) < 4 * 10**15:  # beyond, floats of seconds are coarser than half a microsecond
        assert one(Numbers(np.array([us / 1e6])), "s") == us


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01 02:00:00.5+02:00", 500_000),
        ("2012-02-22T16:46:28.9670320+00:00", 1_329_929_188_967_032),
        ("1970-01-02", 86_400_000_000 - 3_600_000_000),
        ("1970-01-01T01:00", 0),
        ("0001-01-01T00:00:00+05:00", None),
        ("yesterday", None),
        ("", None),
        ("2021-02-29", None),
    ],
)
def test_iso_text_is_read_with_its_offset_or_in_the_zone(text: str, expected: int | None) -> None:
    assert one(text_from_strings([text]), "iso8601", "Europe/Berlin") == expected


@given(st.datetimes(timezones=st.timezones() | st.none()))
def test_iso_text_equals_datetime(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else datetime.fromisoformat(moment.isoformat())
    expected: int | None = (aware - EPOCH) // timedelta(microseconds=1)
    if expected is not None and not EARLIEST <= expected <= LATEST:
        expected = None
    assert one(text_from_strings([moment.isoformat()]), "iso8601") == expected


def test_missing_rows_and_columns_of_the_wrong_kind_are_bad() -> None:
    number = Numbers(np.array([5, 0]), np.array([True, False]))
    assert event_times(number, "us")[1].tolist() == [False, True]
    assert event_times(number, "iso8601")[1].tolist() == [True, True]
    assert event_times(Numbers(np.array([True])), "s")[1].tolist() == [True]
    assert event_times(text_from_strings(["5"]), "s")[1].tolist() == [True]


def local(*parts: int) -> int:
    return (datetime(*parts, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)  # type: ignore[misc, arg-type]


def test_a_local_time_that_occurs_twice_is_the_first_and_one_that_never_occurs_moves_forward() -> None:
    times = np.array([local(2021, 10, 31, 2, 30), local(2021, 3, 28, 2, 30), local(2021, 7, 1, 12)])
    expected = [local(2021, 10, 31, 0, 30), local(2021, 3, 28, 1, 30), local(2021, 7, 1, 10)]
    assert local_to_utc(times, "Europe/Berlin").tolist() == expected


@given(st.lists(st.datetimes(OLD, NEW), min_size=1, max_size=30), st.timezone_keys())
def test_local_to_utc_equals_zoneinfo_with_fold_0(moments: list[datetime], zone: str) -> None:
    offsets = [m.replace(tzinfo=ZoneInfo(zone), fold=0).utcoffset() or timedelta(0) for m in moments]
    numbers = [(m.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) for m in moments]
    got = local_to_utc(np.array(numbers, np.int64), zone)
    assert got.tolist() == [n - o // timedelta(microseconds=1) for n, o in zip(numbers, offsets, strict=True)]


def datetime_says(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    us = (moment - EPOCH) // timedelta(microseconds=1)
    return us if EARLIEST <= us <= LATEST else None


@st.composite
def nearly_iso(draw: st.DrawFn) -> str:
    moment = draw(st.datetimes())
    text = moment.isoformat(draw(st.sampled_from("T ")), "seconds")
    fraction = draw(st.text("0123456789", max_size=10))
    text += f".{fraction}" if fraction else draw(st.sampled_from(["", "", "."]))
    text += draw(st.sampled_from(["", "Z", "+00:00", "-05:30", "+23:59", "-24:00", "+01:60", "+0100", "z"]))
    at = draw(st.integers(0, len(text) - 1))
    return draw(
        st.sampled_from([text, text, text[:at] + draw(st.sampled_from("0239:-T Z.x")) + text[at + 1 :], text[:at]])
    )


@pytest.mark.parametrize("form", ["{}", "{}.1", "{}.123", "{}.1234567", "{}.123456789"])
@pytest.mark.parametrize("ending", ["", "Z", "+00:00", "-05:00", "+12:45"])
def test_usual_layouts_are_read_a_column_at_a_time_with_their_offset(form: str, ending: str) -> None:
    text = form.format("2014-05-08T07:45:00") + ending
    times, read, utc = usual_times(text_from_strings([text, "noon", text]))
    assert times.tolist()[::2] == [datetime_says(text)] * 2
    assert (read.tolist(), utc.tolist()) == ([True, False, True], [bool(ending), False, bool(ending)])


@given(st.lists(nearly_iso(), min_size=1, max_size=10))
def test_any_text_close_to_iso_is_read_or_refused_as_datetime_does(texts: list[str]) -> None:
    times, bad = event_times(text_from_strings(texts), "iso8601")
    assert [None if b else t for t, b in zip(times.tolist(), bad.tolist(), strict=True)] == [
        datetime_says(t) for t in texts
    ]
