"""Pipelines over sensor readings."""
