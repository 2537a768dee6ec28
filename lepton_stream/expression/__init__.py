"""Expressions over the fields of a record: text to a checked tree, a tree over columns. No `eval`, no loop a row."""
