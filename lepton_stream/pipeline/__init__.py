"""The plan: what a pipeline does, from TOML or from Python, frozen and checked."""
