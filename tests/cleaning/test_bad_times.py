"""Times in wrong units, far ahead and impossible: none of them moves the clock of its partition."""

from __future__ import annotations

import numpy as np
import pytest

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.core import SourceState, prepare
from tests.core.streams import new_job

pytestmark = pytest.mark.usefixtures("path")
NOW = 1_700_000_000
LINE = '{"t":%s,"device":"a","id":%d,"ok":true}'


@pytest.mark.parametrize(
    ("time", "ends"),
    [
        (f"{NOW}000", "timestamp_invalid"),  # milliseconds: the year 55840
        (f"{NOW}000000", "timestamp_invalid"),
        (f"{NOW}000000000", "timestamp_invalid"),
        (str(NOW + 3601), "timestamp_future"),
        ("1e300", "timestamp_invalid"),
        ("-1e18", "timestamp_invalid"),
        ("0", "late"),
        ("-1", "late"),
        (f"{NOW / 1000}", "late"),  # thousands of seconds
        (str(NOW + 2), "accepted"),
    ],
)
def test_times_in_wrong_units_end_where_they_must_and_high_stays(time: str, ends: str) -> None:
    job = new_job()
    source = SourceState(job)
    values = [(LINE % (NOW, 1)).encode(), (LINE % (time, 2)).encode(), (LINE % (NOW, 3)).encode()]
    made = prepare(
        job,
        source,
        Chunk(SourcePartition("s", 0), 0, 3, np.arange(3), Values.from_list(list(values)), np.full(3, NOW * 1_000_000)),
    )
    found = [str(r.reason) for r in made.rejects] or (["late"] if len(made.late) else ["accepted"])
    assert found == [ends]
    if ends != "accepted":
        assert source.high == NOW * 1_000_000
        assert made.account.accepted == 2
