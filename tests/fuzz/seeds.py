"""Good bytes for each target: what fuzzing begins from and spoils."""

from __future__ import annotations

import numpy as np

from lepton_stream.core import PartitionState, SourceState, fold, prepare
from lepton_stream.core.delta import Selection, dump
from lepton_stream.protocol.metadata import Claim, Pointer, to_text
from lepton_stream.protocol.parts import Stored, parts_of
from lepton_stream.protocol.ports import Record
from lepton_stream.runtime.kafka.codecs import Codec
from tests.compiled.test_json_scan import GOOD, mutated
from tests.compiled.test_record_spans import batch, usual
from tests.core.streams import chunk
from tests.fuzz.targets import JOB
from tests.kafka.test_codecs import ENCODERS
from tests.shuffle.test_frame import SAMPLE

LINE = b'1.5,"a ""b""",7,2.5,-3,true'


def delta() -> bytes:
    """A state with cells in every table, whole."""
    state, source = PartitionState.empty(JOB, {0: 0}), SourceState(JOB)
    value = b'{"t":%d,"device":"a%d","id":%d,"value":0.5,"seq":3,"ok":true}'
    (made,) = prepare(JOB, source, chunk(0, [value % (n, n % 3, n) for n in range(20)])).frames
    fold(JOB, state, made)
    none = np.zeros(0, np.int64)
    return dump(JOB, state, [Selection(np.arange(table.cells), none) for table in state.tables])


def seeds() -> dict[str, list[bytes]]:
    """By target."""
    stored = Stored(delta(), (Record(b"k", b"v"), Record(b"k", None)))
    return {
        "json": [GOOD, b"\xfd".join([GOOD, b"\xfe", GOOD]), *mutated(1, 40)],
        "csv": [LINE, b"\xfd".join([LINE, b"\xfe", b"1,,2,3,4,false"])],
        "frame": [SAMPLE],
        "state": [stored.delta, *parts_of(stored, "me", 1, Pointer("p"), 1 << 20)],
        "metadata": [to_text(Claim("p", 5, 7, end=9, run="r")).encode(), to_text(Pointer("p", 1, 2, 0, 4)).encode()],
        "letter": [b"\xfd".join([b"t", b"0", b"7", b"5", b"wrong_type", b"why", b"p", b"1", b"1"])],
        "batch": [batch(usual(6, headers=True), 0, codec) for codec in Codec],
        "expression": [
            b"when(x >= 1.5e3 and s not in ['a', \"b\"], -i // 2, b is not null, length(concat(s, `t u`)), 0)",
            b"bucket(y, [0, 1.5], ['low', 'middle', 'high']) == lower(s) or contains(s, 'x') == not c",
        ],
        "compressed": [encode(b"some text " * 30) for _, encode in ENCODERS.values()],
    }
