"""Measuring the product: a workload whose truth is known, the installed command as its own process, honest reports."""
