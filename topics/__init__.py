"""The contract of every topic: name, key, value, partitions, retention, who writes it and who reads it."""

if __name__ != "lepton_stream.topics":  # a second copy would declare every contract twice
    raise ImportError("import lepton_stream.topics, not topics")
