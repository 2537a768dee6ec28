"""The Python front end: a `Pipeline` that grows by method calls and makes the same plan as TOML.

    from lepton_stream import Pipeline, kernels as k

    p = (Pipeline("air-quality")
         .source("iot.air.readings.v1", time="ts", key="station", id=["station", "ts"])
         .field("pm25", float, min=0, max=1000)
         .window("hour", size="1h", lateness="10m", n=k.count(), mean=k.mean("pm25")))

A pipeline never changes: each method gives a new one, so that two may share a beginning. Nothing is checked before
`plan` is asked for, and then everything is. `run` belongs to the runtimes: it hands `self.plan` to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import timedelta
from functools import partial
from typing import Any, Self

from lepton_stream.pipeline.builder_names import python_name
from lepton_stream.pipeline.check import check
from lepton_stream.pipeline.durations import duration_text
from lepton_stream.pipeline.findings import Findings
from lepton_stream.pipeline.plan import Call, Default, FileTime, Plan, Scalar

Names = str | Sequence[str]
Span = str | timedelta


class Pipeline:
    """A pipeline in the making. All arguments are those of the TOML's keys; durations may be `timedelta`."""

    def __init__(self, name: str, *, version: int = 1) -> None:
        self._data: dict[str, Any] = {"name": name, "version": version}
        self._twice: tuple[tuple[str | int, ...], ...] = ()  # what was said twice; TOML refuses that by itself

    def source(
        self,
        topic: str,
        *,
        time: str,
        key: Names = (),
        id: Names | None = None,  # noqa: A002  (the key's name in TOML)
        format: str = "json",  # noqa: A002  (the same)
        time_unit: str = "s",
        time_zone: str = "UTC",
        max_ahead: Span = "1h",
        max_record_bytes: int | str = "512KiB",
        idle: str = "advance",
        idle_timeout: Span = "30s",
    ) -> Self:
        """Where records come from: `[source]`."""
        said: dict[str, object] = {"topic": topic, "time": time, "key": key, "id": id, "format": format}
        said |= {"time_unit": time_unit, "time_zone": time_zone, "max_ahead": max_ahead}
        said |= {"max_record_bytes": max_record_bytes, "idle": idle, "idle_timeout": idle_timeout}
        return self._with("source", **said)

    def file(
        self,
        *,
        format: str = "json",  # noqa: A002  (the key's name in TOML)
        delimiter: str | None = None,
        header: bool | None = None,
        columns: Sequence[str] | None = None,
        null: Names | None = None,
        rename: Mapping[str, str] | None = None,
        time: Mapping[str, Any] | FileTime | None = None,
    ) -> Self:
        """The form of input files where it differs from the topic's records: `[source.file]`."""
        if isinstance(time, FileTime):
            time = _given({"columns": time.columns, "zone": time.zone, "format": time.format})
        said = {"format": format, "delimiter": delimiter, "header": header, "columns": columns}
        return self._with("file", **said, null=null, rename=rename, time=time)

    def field(
        self,
        name: str,
        type: type[Scalar] | str,  # noqa: A002  (the key's name in TOML)
        *,
        required: bool = True,
        min: float | None = None,  # noqa: A002  (the same)
        max: float | None = None,  # noqa: A002  (the same)
        one_of: Sequence[Scalar] | None = None,
        on_bad: str | float | Default | Mapping[str, Scalar] = "reject",
        pseudonym: bool = False,
    ) -> Self:
        """One typed field and its rules: a line of `[fields]`. `type`: str, int, float or bool."""
        said = {"type": _type_word(type), "required": required, "min": min, "max": max, "pseudonym": pseudonym}
        fields = self._data.get("fields", {})
        new = {**fields, name: _given({**said, "one_of": one_of, "on_bad": on_bad})}
        return self._copy({"fields": new}, [("fields", name)] if name in fields else [])

    def derive(self, name: str, expression: str) -> Self:
        """A column computed of fields and of what was derived before: a line of `[derive]`."""
        derived = self._data.get("derive", {})
        return self._copy({"derive": {**derived, name: expression}}, [("derive", name)] if name in derived else [])

    def where(self, condition: str) -> Self:
        """Accepted records for which the condition is not true enter no window: `where` of `[source]`."""
        return self._copy({"where": condition}, [("source", "where")] if "where" in self._data else [])

    def dedup(self, *, memory: int) -> Self:
        """How many records of a partition are remembered to find duplicates: `[dedup]`."""
        return self._with("dedup", memory=memory)

    def dead_letters(self, *, ceiling: float = 0.5, among: int = 10_000, raw: bool | None = None) -> Self:
        """Above which share of dead letters among so many records a worker on Kafka stops: `[dead_letters]`.

        `raw`: whether what is set aside holds the record as it came.
        """
        return self._with("dead_letters", ceiling=ceiling, among=among, raw=raw)

    def memory(self, size: int | str) -> Self:
        """What state and buffers of one worker may take, in bytes or as "1GiB": `memory`."""
        return self._copy({"memory": size}, [("memory",)] if "memory" in self._data else [])

    def objective(self, *, freshness_p99: Span | None = None) -> Self:
        """How old 99 of 100 results may be when they can be read, which `run --autopilot act` keeps: `[objective]`."""
        return self._with("objective", freshness_p99=freshness_p99)

    def topics(self, *, partitions: int = 4, replication: int = 1) -> Self:
        """What `topics apply` creates: `[topics]`."""
        return self._with("topics", partitions=partitions, replication=replication)

    def window(
        self,
        name: str,
        *,
        size: Span,
        every: Span | None = None,
        offset: Span = "0s",
        lateness: Span = "0s",
        grace: Span = "0s",
        emit: str = "final",
        kind: str = "tumbling",
        group_by: Names | None = None,
        where: str | None = None,
        results: Mapping[str, Call | str] | None = None,
        derive: Mapping[str, str] | None = None,
        **columns: Call | str,
    ) -> Self:
        """One `[[window]]`; each further argument is a result column. `results`: those whose names are taken here.

        `derive`: columns computed of the results, `[window.derive]`.
        """
        said: dict[str, object] = {
            "name": name,
            "kind": kind,
            "size": size,
            "every": every,
            "offset": offset,
            "emit": emit,
        }
        said |= {"lateness": lateness, "grace": grace, "group_by": group_by, "where": where}
        said["derive"] = derive
        said["results"] = {**(results or {}), **columns}
        return self._copy({"window": [*self._data.get("window", ()), _given(said)]})

    def model(
        self,
        name: str,
        score: Call | str,
        *,
        threshold: float,
        by: Names | None = None,
        warmup: int | None = None,
        least_deviation: float = 0,
        lateness: Span = "0s",
        forget: Span = "30d",
        emit: str = "alarms",
        where: str | None = None,
    ) -> Self:
        """One `[[model]]`, such as `.model("spike", "robust_z(pm25)", by="station", threshold=5)`."""
        said: dict[str, object] = {"name": name, "by": by, "score": score, "threshold": threshold, "warmup": warmup}
        said |= {"least_deviation": least_deviation, "lateness": lateness, "forget": forget, "emit": emit}
        return self._copy({"model": [*self._data.get("model", ()), _given({**said, "where": where})]})

    def alarm(
        self,
        name: str,
        field: str,
        *,
        below: float | None = None,
        above: float | None = None,
        back: float | None = None,
        open_after: Span = "0s",
        open_values: int = 1,
        close_after: Span = "0s",
        close_values: int = 1,
        by: Names | None = None,
        lateness: Span = "0s",
        forget: Span = "30d",
        where: str | None = None,
    ) -> Self:
        """One `[[alarm]]`, such as `.alarm("cold", "celsius", by="room", below=15, back=17, open_after="10m")`."""
        said: dict[str, object] = {"name": name, "by": by, "field": field, "below": below, "above": above, "back": back}
        said |= {"open_after": open_after, "open_values": open_values}
        said |= {"close_after": close_after, "close_values": close_values}
        said |= {"lateness": lateness, "forget": forget, "where": where}
        return self._copy({"alarm": [*self._data.get("alarm", ()), _given(said)]})

    @property
    def plan(self) -> Plan:
        """The frozen plan. Raises PlanError with all problems, told by these methods and their arguments."""
        data = dict(self._data)
        beside = {key: data.pop(key) for key in ("file", "where") if key in data}
        if beside and "source" in data:  # without a source, that it is missing is all there is to tell
            data["source"] = {**data["source"], **beside}
        found = Findings(name=partial(python_name, data))
        for path in self._twice:
            found.add(path, path[-1], "is said twice")
        return check(data, f"{data['name']}: the pipeline is not usable", found)

    def _with(self, section: str, **said: object) -> Self:
        return self._copy({section: _given(said)}, [(section,)] if section in self._data else [])

    def _copy(self, changes: Mapping[str, Any], twice: Sequence[tuple[str | int, ...]] = ()) -> Self:
        new = copy(self)
        vars(new).update(_data={**self._data, **changes}, _twice=(*self._twice, *twice))
        return new


def _type_word(kind: object) -> object:
    return kind.__name__ if kind in (str, int, float, bool) and isinstance(kind, type) else kind


def _given(said: Mapping[str, object]) -> dict[str, Any]:
    """What was said, in the values that TOML could give."""
    return {key: _as_toml(value) for key, value in said.items() if value is not None}


def _as_toml(value: object) -> object:
    if not isinstance(value, timedelta):
        return value
    us = value // timedelta(microseconds=1)
    return duration_text(us) if us >= 0 else str(value)
