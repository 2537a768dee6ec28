"""Metrics, probes and log facts: every name in one catalogue, and the server that shows them on a port of its own."""
