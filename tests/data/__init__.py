"""Seeded generators of test input that know what is in it."""
