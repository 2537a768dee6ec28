"""The compiled path: the hottest functions again, over the same arrays, as machine code.

Each has a portable twin in NumPy or Python that gives the same, bit for bit; a caller asks `switch.current()` and takes
whichever is there. Nothing outside this package imports Numba.
"""
