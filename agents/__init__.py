"""The Faust agents, one screen each, in the order a record meets them: prepare, merge, steer."""

if __name__ != "lepton_stream.agents":  # a second copy would register every agent twice
    raise ImportError("import lepton_stream.agents, not agents")
