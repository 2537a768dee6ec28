"""Lepton Stream: a streaming data processor in Python."""

from lepton_stream._version import __version__
from lepton_stream.api import Connection, Pipeline, Results, Run, results, run
from lepton_stream.errors import BrokerError, IntegrityError, LeptonError, PlanError, UsageError
from lepton_stream.lepton import Lepton, PartError
from lepton_stream.pipeline.source import find as load

__all__ = [
    "BrokerError",
    "Connection",
    "IntegrityError",
    "Lepton",
    "LeptonError",
    "PartError",
    "Pipeline",
    "PlanError",
    "Results",
    "Run",
    "UsageError",
    "__version__",
    "load",
    "results",
    "run",
]
