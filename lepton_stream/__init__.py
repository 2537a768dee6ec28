"""Lepton Stream: a streaming data processor in Python."""

from lepton_stream._version import __version__
from lepton_stream.api import Pipeline, Run, run
from lepton_stream.errors import LeptonError, PlanError
from lepton_stream.pipeline.source import find as load

__all__ = ["LeptonError", "Pipeline", "PlanError", "Run", "__version__", "load", "run"]
