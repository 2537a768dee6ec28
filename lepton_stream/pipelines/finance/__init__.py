"""Pipelines of finance."""
