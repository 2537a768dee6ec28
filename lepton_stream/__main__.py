"""`python -m lepton_stream` is `lepton-stream`."""

from lepton_stream.cli.main import main

main()
