"""A broker to be maltreated, a stage for each row, and the table in the end."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.faults.node import Node, make_nodes
from tests.faults.page import write_page
from tests.faults.proxy import Proxy
from tests.faults.records import keep, merged, this_run
from tests.faults.refusals import RefusingProxy
from tests.faults.report import Entry, rows_table, times_table
from tests.faults.scene import Scene

ENTRIES: list[Entry] = []
ENTRY = pytest.StashKey[Entry]()
FAILED = "FAILED"
BASE = int(os.environ.get("FAULTS_SEED", "1"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """FAULTS_ROW=F4 leaves only that row's tests."""
    wanted = os.environ.get("FAULTS_ROW", "")
    here = [item for item in items if "tests/faults" in item.path.as_posix()]
    if wanted:
        left = [item for item in items if item not in here or row_of(item.name) == wanted.upper()]
        items[:] = left


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails, in whatever phase, says so in the report."""
    report = yield
    if report.failed and ENTRY in item.stash:
        item.stash[ENTRY].verdict = FAILED
    return report


def row_of(test: str) -> str:
    """F4 for test_f04_..."""
    found = re.match(r"test_f(\d\d)_", test)
    return f"F{int(found[1])}" if found else ""


@pytest.fixture(scope="session")
def _node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    (node,) = make_nodes(tmp_path_factory.mktemp("faults"))
    try:
        node.start()
        yield node
    finally:
        node.stop()


@pytest.fixture
def node(_node: Node) -> Iterator[Node]:
    """The broker; whatever a row does to it, the next finds it running."""
    if not _node.running:
        _node.start()
    yield _node
    if _node.running:
        _node.thaw()


@pytest.fixture
def entry(request: pytest.FixtureRequest) -> Iterator[Entry]:
    """This test's line of the report."""
    name, stash = request.node.name, request.node.stash
    row = row_of(name)
    made = Entry(row, name, BASE * 1000 + (int(row[1:]) if row else 0))
    ENTRIES.append(made)
    stash[ENTRY] = made
    yield made
    if row and made.verdict != FAILED:
        assert made.proofs, "nothing says that the fault hit unfinished work"
        assert made.verdict != "not judged"


@pytest.fixture
def scene(node: Node, tmp_path: Path, entry: Entry) -> Iterator[Scene]:
    """A pipeline with topics of its own on that broker."""
    with Scene(tmp_path, node, entry) as made:
        yield made


@pytest.fixture
def proxy(node: Node) -> Iterator[Proxy]:
    """A way to that broker which can be cut."""
    made = Proxy(node.place.proxy, node.place.proxied)
    yield made
    made.end()


@pytest.fixture
def refusing(node: Node) -> Iterator[RefusingProxy]:
    """A way to that broker which answers with error codes."""
    made = RefusingProxy(node.place.proxy, node.place.proxied)
    yield made
    made.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The tables, and docs/promises.md where `make faults` asks for it."""
    if not ENTRIES:
        return
    terminalreporter.section("faults")
    rowed = [e for e in ENTRIES if e.row]
    terminalreporter.write_line(rows_table(rowed))
    terminalreporter.write_line(times_table(rowed))
    if page := os.environ.get("FAULTS_PAGE"):
        kept = Path(page).with_suffix(".json")
        records = merged(kept, this_run(BASE), rowed, whole=not os.environ.get("FAULTS_ROW"))
        keep(kept, records)
        write_page(Path(page), records)
