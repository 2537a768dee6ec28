"""Lepton Stream: a streaming data processor in Python."""

__version__ = "0.1.0"
