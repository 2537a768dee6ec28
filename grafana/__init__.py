"""Dashboards as code, built and checked offline."""

if __name__ != "lepton_stream.grafana":  # a second copy would be checked by nothing
    raise ImportError("import lepton_stream.grafana, not grafana")

MISSING = "dashboards: {} is not installed: pip install 'lepton-stream[dashboards]'"
