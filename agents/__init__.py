"""The Faust agents, one screen each, in the order a record meets them: prepare, merge."""

from collections.abc import Callable

if __name__ != "lepton_stream.agents":  # a second copy would register every agent twice
    raise ImportError("import lepton_stream.agents, not agents")

from lepton_stream.agents import merge, prepare
from lepton_stream.pipeline.names import Names
from lepton_stream.runtime.kafka.app import App
from lepton_stream.runtime.kafka.fetch import Fetched


def declare(app: App, names: Names, hand_over: Callable[[Fetched], None]) -> None:
    """Give an app its agents; each hands its chunks over to the owners of their partitions."""
    prepare.declare(app, names.source, hand_over)
    merge.declare(app, names.shuffle, hand_over)
