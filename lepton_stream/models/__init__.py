"""Models: scores of single records against those of their key that came before them."""
