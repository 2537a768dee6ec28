"""What `lepton-stream doctor` thinks of the facts that it was given: pure judgements, each finding with its remedy."""
