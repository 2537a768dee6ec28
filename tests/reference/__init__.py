"""Slow, plain second opinions: they share no code with the product and judge its results."""
