"""The log of a process on stderr: text for people, or one JSON object a line; ours, Faust's and aiokafka's alike."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

from lepton_stream.printable import printable
from lepton_stream.telemetry import facts
from lepton_stream.telemetry.catalogue import Fact

LogFormat = Literal["text", "json"]
BURST, BURST_S = 20, 10.0
"""Other people's loggers may say the same thing so often in so many seconds; what is more is counted."""
MOST_KEYS = 1000
LONGEST = 8000
HIDDEN = "***"


def set_up(
    form: LogFormat,
    *,
    clock: Callable[[], float],
    about: Mapping[str, Any] | None = None,
    secrets: Sequence[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Make this the process's handler, in place of an earlier one of ours.

    `about`: stands in every JSON line. `secrets`: never shown. `stream`: None for stderr, whatever that is by then.
    Text shows warnings and errors, JSON also what happens on the way.
    """
    formatter = JsonLines(about or {}, secrets) if form == "json" else TextLines(secrets)
    handler = Handler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(Flood(clock))
    root = logging.getLogger()
    root.handlers[:] = [*(h for h in root.handlers if not isinstance(h, Handler)), handler]
    root.setLevel(logging.WARNING)
    facts.logger.setLevel(logging.INFO if form == "json" else logging.WARNING)
    if form == "json":
        sys.excepthook = _log_uncaught


def keep_secret(secret: str) -> None:
    """Another secret that was learnt after the start."""
    for handler in logging.getLogger().handlers:
        if secret and isinstance(handler.formatter, _Lines):
            handler.formatter.secrets.append(secret)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A defect: its traceback is one line too."""
    logging.getLogger("lepton_stream").critical("uncaught %s", kind.__name__, exc_info=(kind, error, trace))


class Handler(logging.StreamHandler[TextIO]):
    """Writes to the stream that it was given, else to stderr as it is at the time."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__(stream)
        self._given = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line."""
        self.stream = self._given or sys.stderr
        super().emit(record)


def log_is_json() -> bool:
    """Whether this process tells people nothing but lines of JSON."""
    return any(isinstance(handler.formatter, JsonLines) for handler in logging.getLogger().handlers)


@dataclass(slots=True)
class _Seen:
    since: float
    shown: int = 0
    hidden: int = 0


class Flood(logging.Filter):
    """Lets lines through until the same one comes too often; the next one that is shown says how many were not."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[object, _Seen] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown."""
        fact: Fact | None = getattr(record, "fact", None)
        if fact is not None and not fact.every_s:
            return True
        seconds, most = (fact.every_s, 1) if fact else (BURST_S, BURST)
        fields = getattr(record, "fields", {})
        key = (fact.event, *(fields.get(name) for name in fact.by)) if fact else (record.name, str(record.msg)[:200])
        now = self._clock()
        seen = self._seen.get(key)
        if seen is None:
            if len(self._seen) >= MOST_KEYS:
                self._seen.clear()
            seen = self._seen[key] = _Seen(now)
        elif now - seen.since >= seconds:
            record.hidden = seen.hidden
            seen.since, seen.shown, seen.hidden = now, 0, 0
        seen.shown += 1
        if seen.shown > most:
            seen.hidden += 1
            return False
        return True


class _Lines(logging.Formatter):
    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__()
        self.secrets = [secret for secret in secrets if secret]

    def hide(self, text: str) -> str:
        """Without the secrets."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def trace(self, record: logging.LogRecord) -> str:
        """The traceback, if there is one."""
        return "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""


class TextLines(_Lines):
    """`WARNING name: message`; a traceback on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """For people."""
        fields: dict[str, Any] = getattr(record, "fields", {})
        told = " ".join([record.getMessage(), *(f"{k}={v}" for k, v in fields.items())])
        hidden = getattr(record, "hidden", 0)
        more = f" ({hidden} more like this)" if hidden else ""
        first = f"{record.levelname} {printable(record.name)}: {printable(self.hide(told)[:LONGEST])}{more}"
        rest = [printable(line) for line in self.hide(self.trace(record)).splitlines()]
        return "\n".join([first, *rest])


class JsonLines(_Lines):
    """ts, level, event, what the process is, and the fact's fields; other loggers' lines are the event `log`."""

    def __init__(self, about: Mapping[str, Any], secrets: Sequence[str]) -> None:
        super().__init__(secrets)
        self._about = dict(about)

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the text holds: JSON escapes all that is not plain ASCII."""
        fact: Fact | None = getattr(record, "fact", None)
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "ts": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": fact.event if fact else "log",
            **self._about,
        }
        if fact:
            line |= getattr(record, "fields", {})
        else:
            line |= {"logger": record.name, "text": record.getMessage()[:LONGEST]}
        if record.exc_info:
            line["trace"] = self.trace(record)[-LONGEST:]
        if getattr(record, "hidden", 0):
            line["hidden"] = record.hidden  # type: ignore[attr-defined]  # the flood filter's
        return json.dumps(self._without_secrets(line), default=str)

    def _without_secrets(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self._without_secrets(k): self._without_secrets(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self._without_secrets(v) for v in value]
        return value
