"""Choosing by measurement: pure functions of what was measured, each choice with its reason."""
