"""Runtimes: what drives the pure core with real inputs, clocks and outputs."""
