"""Both paths: LEPTON_STREAM_COMPILED=on runs the tests' own process on the compiled path, and all they start."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from lepton_stream.compiled import cache, loader, switch
from lepton_stream.runtime.pseudonym_secret import DEMO_SECRET, FILE_VARIABLE, VARIABLE

if loader.installed():  # tests that import the compiled functions find them where `make setup` has compiled them to
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache.folder()))
os.environ[VARIABLE] = DEMO_SECRET.decode()  # shipped pipelines run here, and in what the tests start, as in their demo
os.environ.pop(FILE_VARIABLE, None)
# how long an example takes says more of what runs beside it
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture(scope="session", autouse=True)
def path_of_the_session() -> None:
    """Only `on` turns anything on here: what a test finds must not depend on what has been compiled by then."""
    if os.environ.get("LEPTON_STREAM_COMPILED") == "on":
        loader.start().join()
        assert switch.current() is not None, loader.state().reason


@pytest.fixture(params=["portable", "compiled"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The test runs on the portable path and on the compiled one, and so does what it starts."""
    before = switch.current()
    monkeypatch.setenv("LEPTON_STREAM_COMPILED", "on" if request.param == "compiled" else "off")
    if request.param == "compiled":
        pytest.importorskip("numba")
        switch.use(loader.functions_now())
    else:
        switch.use(None)
    yield request.param
    switch.use(before)
