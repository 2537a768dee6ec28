"""The version, also in pyproject.toml; a test compares them."""

__version__ = "0.1.0"
