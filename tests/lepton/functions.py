"""What worker processes run in the tests: importable, so that it can be sent to them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def dot(part: NDArray[np.float64]) -> NDArray[np.float64]:
    return part.T.dot(part)


def itself(part: Any) -> Any:
    return part


def process_of(_part: Any) -> int:
    return os.getpid()


def fails_on_seven(part: NDArray[np.int64]) -> int:
    if 7 in part:
        raise KeyError("seven")
    return len(part)


class AwkwardError(Exception):
    """Cannot be pickled, as it holds a lock."""

    def __init__(self) -> None:
        super().__init__("awkward")
        self.lock = threading.Lock()


def fails_awkwardly(_part: Any) -> None:
    raise AwkwardError


def gives_a_lock(_part: Any) -> Any:
    return threading.Lock()


def dies_on_seven(part: NDArray[np.int64]) -> int:
    if 7 in part:
        os.kill(os.getpid(), signal.SIGKILL)
    return len(part)


def leaves_on_seven(part: NDArray[np.int64]) -> int:
    if 7 in part:
        os._exit(3)
    return len(part)


def waits(folder: Path) -> None:
    """Tells that it is there, and works for ever."""
    (folder / f"{os.getpid()}").touch()
    while True:
        time.sleep(0.01)


if __name__ == "__main__":  # the parent of test_ctrl_c_ends_the_workers
    from lepton_stream import Lepton

    try:
        Lepton(workers=2).map(waits, [Path(sys.argv[1])] * 4)
    except KeyboardInterrupt:
        sys.exit(33)
