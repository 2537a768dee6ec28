"""Expressions: reading, checking, values."""
