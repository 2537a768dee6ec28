"""UTC to local time, for whole columns, against the standard library one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.formats.zones import EARLIEST, LATEST, utc_to_local

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia")
HOUR = 3_600_000_000


def local(time: int, zone: str) -> int:
    there = (EPOCH + timedelta(microseconds=time)).astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    return (there - EPOCH) // timedelta(microseconds=1)


@given(st.lists(st.integers(-2 * 10**15, 4 * 10**15), max_size=20), st.sampled_from(ZONES))
def test_local_time_is_that_of_the_standard_library(times: list[int], zone: str) -> None:
    assert utc_to_local(np.array(times, np.int64), zone).tolist() == [local(t, zone) for t in times]


@pytest.mark.parametrize("zone", ZONES)
def test_every_hour_of_a_year_with_changes_is_right(zone: str) -> None:
    times = [1_704_067_200_000_000 + i * HOUR for i in range(366 * 24)]
    assert utc_to_local(np.array(times, np.int64), zone).tolist() == [local(t, zone) for t in times]


def test_the_ends_of_the_calendar_do_not_fail() -> None:
    times = np.array([EARLIEST, LATEST], np.int64)
    assert (np.abs(utc_to_local(times, "Asia/Shanghai") - times) < 24 * HOUR).all()
