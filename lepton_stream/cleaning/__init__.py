"""Cleaning: rules over columns, after decoding and before anything is counted."""
