"""Ready pipelines, one TOML file each: `<domain>/<name>.toml` is run by the name `<domain>/<name>`."""
