#!/usr/bin/env bash
# Gets Debian's Prometheus where no password is needed; else says how. Tests that need it are skipped without it.
set -euo pipefail
command -v prometheus >/dev/null && command -v promtool >/dev/null && exit 0

get() {
	# RUNLEVEL=1: the package's own service is not started
	DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 timeout 180 apt-get "$@" >/dev/null 2>&1 </dev/null
}
if [ "$EUID" -eq 0 ] && command -v apt-get >/dev/null; then
	install=(install --yes --quiet --no-install-recommends prometheus)
	if get "${install[@]}" || { get update --quiet && get "${install[@]}"; }; then exit 0; fi
fi
echo "setup: no Prometheus here: tests of dashboards and alerts will be skipped." >&2
echo "setup: to run them: sudo apt-get install prometheus (other systems: prometheus and promtool on the PATH)" >&2
