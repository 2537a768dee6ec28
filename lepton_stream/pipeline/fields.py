"""Fields of a plan: rules that fit their type, and the fields that time, key and id declare by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lepton_stream.pipeline.findings import Findings, MisfitError, Path, fits
from lepton_stream.pipeline.near import nearest
from lepton_stream.pipeline.plan import Default, Field, FieldType, OnBad, Scalar

TIME_TYPES: dict[str, tuple[FieldType, ...]] = {
    "s": ("float", "int"),
    "ms": ("float", "int"),
    "us": ("int",),  # a float64 cannot tell today's microseconds apart for certain, nor nanoseconds at all
    "ns": ("int",),
    "iso8601": ("str",),
}
GROUP_TYPES: tuple[FieldType, ...] = ("str", "int", "bool")
ID_TYPES: tuple[FieldType, ...] = ("str", "int", "float", "bool")


@dataclass(frozen=True, slots=True)
class Known:
    """Fields by name, and the names of declared fields whose type is not known because it is wrong."""

    fields: dict[str, Field]
    broken: frozenset[str]

    @property
    def types(self) -> dict[str, str]:
        """Field name to type."""
        return {name: f.type for name, f in self.fields.items()}


def known_fields(declared: Any, raw: Mapping[str, Mapping[str, Any]], source: Mapping[str, Any], f: Findings) -> Known:
    """The fields of `raw` (what could be read of `declared`), and those that [source] adds."""
    fields = {name: field for name, r in raw.items() if (field := make_field(name, r, f)) is not None}
    names = set(declared) if isinstance(declared, Mapping) else set()
    broken = frozenset(n for n in names if isinstance(n, str) and n not in fields)
    for field in _implied(source):
        if field.name not in broken:
            fields.setdefault(field.name, field)
    return Known(fields, broken)


def _implied(source: Mapping[str, Any]) -> list[Field]:
    """Fields that need no line in [fields]; time comes first, since it may be an id field too."""
    implied = []
    if "time" in source:
        implied.append(Field(source["time"], TIME_TYPES[source.get("time_unit", "s")][0]))
    ids = source.get("id")
    named = [*source.get("key", ()), *(ids if isinstance(ids, tuple) else ())]
    return implied + [Field(name, "str") for name in named]


def make_field(name: str, raw: Mapping[str, Any], found: Findings) -> Field | None:
    """A field and its rules; None if its type is not known. Rules that are wrong are found and left out."""
    kind: FieldType | None = raw.get("type")
    if kind is None:
        return None
    path = ("fields", name)
    low = _bound(kind, raw.get("min"), (*path, "min"), found)
    high = _bound(kind, raw.get("max"), (*path, "max"), found)
    if low is not None and high is not None and low > high:
        found.add((*path, "min"), low, f"expects at most max, which is {high}")
    one_of = _one_of(kind, raw.get("one_of"), (*path, "one_of"), found)
    field = Field(name, kind, raw.get("required", True), low, high, one_of)
    on_bad = _on_bad(field, raw.get("on_bad", "reject"), (*path, "on_bad"), found)
    pseudonym = raw.get("pseudonym", False)
    if pseudonym and kind != "str":
        found.add((*path, "pseudonym"), True, f"only fields of type str can be pseudonyms; this one is {kind}")
    return Field(name, kind, field.required, low, high, one_of, on_bad, pseudonym)


def _bound(kind: FieldType, value: Any, path: Path, found: Findings) -> int | float | None:
    if value is None:
        return None
    if kind not in ("float", "int"):
        found.add(path, value, f"only fields of type float or int have bounds; this one is {kind}")
        return None
    bound = _fitting(kind, value, path, found)
    return bound if isinstance(bound, int | float) else None


def _fitting(kind: FieldType, value: Any, path: Path, found: Findings) -> Scalar | None:
    try:
        return fits(kind, value)
    except MisfitError as e:
        found.add(path, value, e.wish)
        return None


def _one_of(kind: FieldType, values: Any, path: Path, found: Findings) -> tuple[Scalar, ...] | None:
    if values is None:
        return None
    fitting = [_fitting(kind, value, path, found) for value in values]
    return tuple(v for v in fitting if v is not None)


def _on_bad(field: Field, on_bad: OnBad, path: Path, found: Findings) -> OnBad:
    if on_bad == "clip" and field.min is None and field.max is None:
        found.add(path, on_bad, "expects min or max to clip to")
    if not isinstance(on_bad, Default):
        return on_bad
    value = _fitting(field.type, on_bad.value, path, found)
    if value is None:
        return "reject"
    if not _is_good(field, value):
        found.add(path, value, "expects a default that is good by the field's own min, max and one_of")
    return Default(value)


def _is_good(field: Field, value: Scalar) -> bool:
    if field.one_of is not None and value not in field.one_of:
        return False
    if isinstance(value, str):
        return True
    return (field.min is None or value >= field.min) and (field.max is None or value <= field.max)


def check_source_fields(source: Mapping[str, Any], known: Known, found: Findings) -> None:
    """Time, key and id name fields that are always there; a made-up time or id would change what is counted."""
    if "time" in source and "time_unit" in source:
        accepted = TIME_TYPES[source["time_unit"]]
        check_role(("source", "time"), source["time"], accepted, known, found, made_up=False)
        if (field := known.fields.get(source["time"])) is not None and field.pseudonym:
            found.add(("source", "time"), field.name, f"expects a field that is no pseudonym; {field.name} is one")
    for name in source.get("key", ()):
        check_role(("source", "key"), name, GROUP_TYPES, known, found)
    ids = source.get("id")
    for name in ids if isinstance(ids, tuple) else ():
        check_role(("source", "id"), name, ID_TYPES, known, found, made_up=False)


def check_role(
    path: Path, name: str, accepted: Sequence[FieldType], known: Known, found: Findings, *, made_up: bool = True
) -> None:
    """The field `name`, asked for at `path`, exists, has an accepted type and is never null.

    `made_up`: whether on_bad may put a value of its own there.
    """
    if name in known.broken:
        return
    field = known.fields.get(name)
    if field is None:
        found.add(path, name, "no such field in [fields]", nearest(name, known.fields))
        return
    if field.type not in accepted:
        found.add(path, name, f"expects a field of type {' or '.join(accepted)}; {name} is {field.type}")
    if not field.required:
        found.add(path, name, f"expects a required field; {name} has required = false")
    if field.on_bad == "null" or (not made_up and field.on_bad != "reject"):
        wish = 'not on_bad = "null"' if made_up else 'on_bad = "reject"'
        found.add(path, name, f"expects a field with {wish}; a {name} that is not its own would count wrongly")
