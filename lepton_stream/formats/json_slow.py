"""The second look at a JSON record that the typed decoder refused: the precise reason, or the mended record.

It reads by the same rules as the fast path (the last of equal keys wins, ignored fields are only skipped), so that
what it takes or refuses does not depend on which path a record went.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from lepton_stream.formats.decoder import Reason
from lepton_stream.formats.mending import (
    INT_MAX,
    INT_MIN,
    may_be_missing,
    mended_value,
    mends,
    missing,
    out_of_range,
    wrong_type,
)
from lepton_stream.pipeline.plan import Field, Scalar

_KINDS = {'"': "a string", "{": "an object", "[": "a list", "t": "a boolean", "f": "a boolean", "n": "null"}
_TYPES = {"str": "a string", "bool": "a boolean", "int": "a number", "float": "a number"}
_INTEGER = re.compile(r"-?[0-9]+")
_LONGEST_INT = len(str(INT_MIN))

_document = msgspec.json.Decoder(msgspec.Raw).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_float = msgspec.json.Decoder(float).decode
_scalar: msgspec.json.Decoder[str | bool] = msgspec.json.Decoder(str | bool)


class Refused(Exception):  # noqa: N818  a verdict, not an error of ours
    """The record cannot be used; the arguments are the reason and the detail."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


def second_look(record: bytes, fields: Sequence[Field]) -> tuple[list[Scalar | None], list[str]]:
    """Values in field order and the rules that mended some of them. Raises Refused for the first bad field."""
    members = _open(record)
    values: list[Scalar | None] = []
    rules: list[str] = []
    for field in fields:
        try:
            values.append(_value(field, members.get(field.name)))
        except Refused as refused:
            if refused.reason is Reason.DECODE_ERROR or not mends(field):
                raise
            values.append(mended_value(field))
            rules.append(f"{field.name}.type")
    return values, rules


def _open(record: bytes) -> dict[str, msgspec.Raw]:
    """The members of an object, undecoded."""
    if not record:
        raise Refused(Reason.DECODE_ERROR, "the record is empty")
    try:
        kind = _kind(bytes(_document(record)).lstrip())
        if kind != "an object":
            raise Refused(Reason.NOT_AN_OBJECT, f"expected an object, got {kind}")
        return _members(record)
    except msgspec.DecodeError as error:
        raise Refused(Reason.DECODE_ERROR, str(error)) from None


def _kind(text: bytes) -> str:
    return _KINDS.get(chr(text[0]), "a number")


def _value(field: Field, raw: msgspec.Raw | None) -> Scalar | None:
    """The value, or None where it is missing and may be."""
    text = b"null" if raw is None else bytes(raw).strip()
    kind = _kind(text)
    if kind == "null":
        if may_be_missing(field):
            return None
        raise Refused(*missing(field))
    if kind != _TYPES[field.type]:
        raise Refused(*wrong_type(field, kind))
    if field.type == "int":
        return _int(field, text.decode())
    if field.type == "float":
        return _finite(field, text)
    return _scalar.decode(text)


def _int(field: Field, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise Refused(*wrong_type(field, "a number with a fraction or an exponent"))
    if len(text) > _LONGEST_INT or not INT_MIN <= int(text) <= INT_MAX:
        raise Refused(*out_of_range(field))
    return int(text)


def _finite(field: Field, text: bytes) -> float:
    try:
        return _float(text)
    except msgspec.ValidationError:
        raise Refused(Reason.DECODE_ERROR, f"{field.name}: expected a number that a float can hold") from None
