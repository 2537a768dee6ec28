"""The Python face: a pipeline that runs, over data at hand or on Kafka, and its results as an iterator or a table."""

from lepton_stream.api.local import run
from lepton_stream.api.pipeline import Pipeline
from lepton_stream.api.results import Results, results
from lepton_stream.api.rows import Row, Run
from lepton_stream.runtime.kafka.connect import Connection

__all__ = ["Connection", "Pipeline", "Results", "Row", "Run", "results", "run"]
