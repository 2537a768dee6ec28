"""Routing by key, and frames: what travels from prepare to merge."""
