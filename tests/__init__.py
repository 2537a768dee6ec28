"""The tests, in the shape of the code; `data` makes input whose truth is known, `reference` computes that truth."""
