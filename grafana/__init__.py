"""Dashboards and alert rules as code, built and checked offline."""

if __name__ != "lepton_stream.grafana":  # a second copy would be checked by nothing
    raise ImportError("import lepton_stream.grafana, not grafana")
