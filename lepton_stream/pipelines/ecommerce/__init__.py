"""Pipelines over orders and sales."""
