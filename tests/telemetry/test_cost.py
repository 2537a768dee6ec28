"""What a million records cost: prices are checked, money adds up, and nothing is shown that nobody has priced."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from lepton_stream.cli.main import outcome
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.toml_front import load
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.cost import CPU_HOUR, CURRENCY, GIGABYTE, OPTIONS, Cost, Prices, prices_of, short
from lepton_stream.telemetry.meter import Meter
from lepton_stream.telemetry.render import text
from lepton_stream.telemetry.snapshot import Snapshot
from lepton_stream.telemetry.tally import Tally
from tests.data import planted
from tests.data.planted import generate

PLAN = Path(planted.__file__).with_suffix(".toml")
amounts = st.integers(0, 10**12)
whole_prices = st.integers(0, 1000)


@given(st.integers(1, 10**12), amounts, amounts, whole_prices, whole_prices)
def test_money_is_the_sum_of_what_each_part_costs(records: int, cpu_s: int, sent: int, hour: int, gb: int) -> None:
    exact = Fraction(cpu_s, 3600) * hour + Fraction(sent, 10**9) * gb
    told = Cost(records, float(cpu_s), sent, Prices(float(hour), float(gb), "EUR")).to_dict()
    assert told["money"]["total"] == pytest.approx(float(exact), rel=1e-12)
    assert told["money_per_million"] == pytest.approx(float(exact * 10**6 / records), rel=1e-12)
    assert told["bytes_sent_per_million"] == pytest.approx(sent * 10**6 / records, rel=1e-9, abs=0.501)


def test_without_prices_there_is_no_money() -> None:
    cost = Cost(1_000_000, 2.0, 5_000_000)
    assert set(cost.to_dict()) == {"records", "bytes_sent", "cpu_seconds_per_million", "bytes_sent_per_million"}
    assert str(cost).startswith("a million records cost 2.00 CPU seconds, 5.00 MB sent (")


def test_a_price_of_one_part_says_that_the_other_is_missing() -> None:
    line = str(Cost(2_000_000, 7200.0, 4_000_000, Prices(cpu_hour=3.0, currency="EUR")))
    assert "3,600 CPU seconds, 2.00 MB sent, 3.00 EUR for CPU alone" in line
    assert "0.100 for bytes sent alone" in str(Cost(10, 0.0, 1_000_000, Prices(gigabyte=0.001)))


def test_a_price_of_nothing_is_a_price() -> None:
    assert Cost(10, 1.0, 10, Prices(0.0, 0.0)).to_dict()["money"] == {"cpu": 0.0, "sent": 0.0, "total": 0.0}


def test_a_run_that_read_nothing_says_nothing_of_a_million() -> None:
    cost = Cost(0, 1.5, 0, Prices(1.0))
    assert str(cost) == ""
    assert "money_per_million" not in cost.to_dict()


@given(st.floats(1e-12, 1e12))
def test_short_numbers_have_three_digits_that_count_and_no_exponent(value: float) -> None:
    shown = short(value)
    assert set(shown) <= set("0123456789.,")
    assert float(shown.replace(",", "")) == pytest.approx(value, rel=0.005)


def test_an_option_wins_over_its_variable_and_an_empty_variable_says_nothing() -> None:
    environ = {CPU_HOUR: "0.5", GIGABYTE: " ", CURRENCY: "USD"}
    assert prices_of({CPU_HOUR: "0.25", GIGABYTE: None, CURRENCY: None}, environ) == Prices(0.25, None, "USD")
    assert prices_of({}, {}) == Prices()


@pytest.mark.parametrize("said", ["free", "-1", "0,5", "1e3", "nan", "inf", "1000001", "0.5 EUR", "0.", "٣"])
def test_what_is_no_price_is_refused_with_its_place(said: str) -> None:
    with pytest.raises(UsageError, match="expects a price such as") as refused:
        prices_of({}, {CPU_HOUR: said})
    assert str(refused.value).startswith(f"${CPU_HOUR} is ")
    with pytest.raises(UsageError, match=f"^{OPTIONS[GIGABYTE]} is "):
        prices_of({GIGABYTE: said}, {})


@pytest.mark.parametrize("said", ["two words", "x" * 13, "a\x1b[31mb"])
def test_a_currency_is_one_short_word(said: str) -> None:
    with pytest.raises(UsageError, match="expects a short name such as EUR"):
        prices_of({CPU_HOUR: "1", CURRENCY: said}, {})


def test_a_currency_without_a_price_and_an_unknown_variable_are_refused() -> None:
    with pytest.raises(UsageError, match="there is no price"):
        prices_of({CURRENCY: "EUR"}, {})
    with pytest.raises(UsageError, match="LEPTON__COST__CPU_HOURS: no such setting"):
        prices_of({}, {"LEPTON__COST__CPU_HOURS": "1"})


def scraped(prices: Prices | None) -> dict[tuple[str, str], float]:
    """lepton_cost_total by (part, currency), of a worker that used an hour of CPU and sent 3 GB into two topics."""
    meter = Meter()
    meter.add(c.PROCESS_CPU, 3600.0)
    meter.add(c.BYTES_SENT, 2e9, "shuffle")
    meter.add(c.BYTES_SENT, 1e9, "state")
    tally = Tally(lambda: 0.0)
    tally.hear(0, Snapshot(joined=True, counters=meter.counters()))
    shown = text(tally.whole(), "shop", "1", 0.0, prices).decode()
    families = {family.name: family for family in text_string_to_metric_families(shown)}
    if "lepton_cost" not in families:
        return {}
    return {(s.labels["part"], s.labels["currency"]): s.value for s in families["lepton_cost"].samples}


def test_metrics_tell_money_by_part_and_currency_where_prices_are_set() -> None:
    assert scraped(Prices(0.5, 0.1, "EUR")) == {("cpu", "EUR"): 0.5, ("sent", "EUR"): pytest.approx(0.3)}
    assert scraped(Prices(cpu_hour=0.5)) == {("cpu", ""): 0.5}
    assert scraped(None) == {}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"".join(record.value + b"\n" for record in generate(4000, 7)))
    return path


def test_a_run_over_files_tells_its_cost_in_its_last_line_and_in_its_statistics(
    file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CURRENCY, "EUR")
    files = ["--input", str(file), "--output", str(tmp_path / "out.jsonl"), "--stats", str(tmp_path / "stats.json")]
    assert outcome(["run", str(PLAN), *files, "--cpu-hour-price", "36"]) == 0
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert (stats["cost"]["records"], stats["cost"]["bytes_sent"], stats["cost"]["currency"]) == (4000, 0, "EUR")
    # 36 an hour is a hundredth a second
    assert stats["cost"]["money"]["total"] == pytest.approx(stats["cpu_seconds"] / 100, rel=1e-3)
    assert stats["cost"]["money_per_million"] == pytest.approx(stats["cpu_seconds"] / 100 * 250, rel=1e-3)
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("  a million records cost ")
    assert " EUR for CPU alone (" in last


def test_a_wrong_price_ends_the_run_before_anything_is_written(
    file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    asked = ["run", str(PLAN), "--input", str(file), "--output", str(out), "--gigabyte-price", "cheap"]
    assert outcome(asked) == 2
    assert "--gigabyte-price is 'cheap'" in capfd.readouterr().err
    assert not out.exists()


def test_prices_are_no_part_of_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load(PLAN)
    monkeypatch.setenv(CPU_HOUR, "12")
    assert load(PLAN) == before
