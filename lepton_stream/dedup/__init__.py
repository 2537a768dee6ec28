"""Fingerprints of ids and keys, and the memory of ids seen."""
