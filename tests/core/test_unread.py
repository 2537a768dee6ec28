"""A batch that was not opened: one row that points at it, dead-lettered, wherever ranges are cut and joined."""

from __future__ import annotations

import numpy as np
import pytest

from lepton_stream.chunk import Chunk, SourcePartition, Values, join
from lepton_stream.core import SourceState, prepare
from lepton_stream.formats.decoder import Reason
from tests.core.streams import NOW_US, chunk, new_job
from tests.kafka.letter_records import dead_letter_record

pytestmark = pytest.mark.usefixtures("path")
GOOD = b'{"t":1,"device":"a","id":1,"ok":true}'
WHY = "offsets 3 to 9: it decompresses to more than 67108864 bytes; none of it was read"


def pointer() -> Chunk:
    last = np.array([9])
    return Chunk(
        SourcePartition("streams.v1", 0), 1, 10, last, Values.from_list([None]), last * 0 + NOW_US, unread={9: WHY}
    )


def test_it_is_one_dead_letter_that_names_the_offsets_beside_its_neighbours() -> None:
    job, head = new_job(), chunk(0, [GOOD])
    tail = Chunk(head.source, 10, 12, np.array([10, 11]), Values.from_list([b"{", None]), np.full(2, NOW_US))
    whole = join([head, pointer(), tail])
    made = prepare(job, SourceState(job), whole)
    assert made.account.read == 4
    assert made.account.balanced
    told = {int(whole.offsets[r.row]): (r.reason, r.detail) for r in made.rejects}
    assert told[9] == (Reason.DECOMPRESSION_LIMIT, WHY)
    assert told[11][0] is Reason.NULL_VALUE
    assert told[10][0] is Reason.DECODE_ERROR
    (at,) = (r for r in made.rejects if r.reason is Reason.DECOMPRESSION_LIMIT)
    letter = dead_letter_record("dlq", whole, at, "p", 1)
    assert letter.value is None
    assert dict(letter.headers)["lepton.dlq.detail"] == WHY.encode()
    assert dict(letter.headers)["lepton.dlq.offset"] == b"9"


@pytest.mark.parametrize("at", [1, 3, 5, 9, 10])
def test_a_cut_inside_the_batch_leaves_the_row_on_one_side(at: int) -> None:
    left, right = pointer().cut(at)
    assert [dict(part.unread) for part in (left, right)] == [{} if at < 10 else {9: WHY}, {9: WHY} if at < 10 else {}]
    assert (len(left), len(right)) == ((0, 1) if at < 10 else (1, 0))
    assert dict(join([left, right]).unread) == {9: WHY}
