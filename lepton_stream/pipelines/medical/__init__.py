"""Pipelines over measurements of people. None of them is a medical device."""
