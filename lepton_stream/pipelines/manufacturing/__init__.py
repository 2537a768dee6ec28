"""Pipelines of manufacturing."""
