"""Kernels: commutative monoids over columns, one a file, and the functions that are read off them."""
