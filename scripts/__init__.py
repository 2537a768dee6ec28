"""What maintainers run by hand; nothing of the package imports it."""
