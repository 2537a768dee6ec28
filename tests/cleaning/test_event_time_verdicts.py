import numpy as np

from lepton_stream.cleaning.event_time import in_future, timed
from lepton_stream.columns import Numbers, to_list
from lepton_stream.formats.decoder import Decoded, Reason
from lepton_stream.pipeline.plan import Source

SOURCE = Source("t", time="ts", time_unit="us", max_ahead_us=10)


def test_a_time_on_the_limit_is_not_in_the_future() -> None:
    got = in_future(np.array([110, 111, -5]), np.array([100, 100, 100]), 10)
    assert got.tolist() == [False, True, False]


def test_each_record_is_judged_against_its_own_timestamp_in_the_chunk() -> None:
    column = Numbers(np.array([110, 111, 0, 500]), np.array([True, True, False, True]))
    decoded = Decoded(np.array([1, 2, 3, 5]), {"ts": column, "x": Numbers(np.arange(4))}, [])
    got, times = timed(decoded, SOURCE, np.array([0, 100, 100, 100, 0, 490]))
    assert [(r.row, r.reason) for r in got.rejects] == [(2, Reason.TIMESTAMP_FUTURE), (3, Reason.TIMESTAMP_INVALID)]
    assert got.rows.tolist() == [1, 5]
    assert to_list(got.columns["x"]) == [0, 3]
    assert times.tolist() == [110, 500]


def test_good_records_come_back_as_they_are() -> None:
    decoded = Decoded(np.array([0]), {"ts": Numbers(np.array([5]))}, [])
    got, times = timed(decoded, SOURCE, np.array([0]))
    assert got is decoded
    assert times.tolist() == [5]
