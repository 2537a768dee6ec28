"""Bytes to columns, one format a file."""
