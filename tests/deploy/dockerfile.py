"""Reads a Dockerfile: its stages and their instructions, as far as ours needs it."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


@dataclass(frozen=True)
class Instruction:
    """`word`: in capitals; `value`: the rest, continuation lines joined."""

    word: str
    value: str

    def pairs(self) -> dict[str, str]:
        """Of ENV, ARG and LABEL: name and value, variables not filled in."""
        cut = [one.partition("=") for one in shlex.split(self.value)]
        return {name: value for name, _, value in cut}

    def words(self) -> list[str]:
        """Of the JSON form, which no shell reads. Raises ValueError for the other one."""
        return [str(one) for one in json.loads(self.value)]


@dataclass(frozen=True)
class Stage:
    name: str
    base: str
    instructions: tuple[Instruction, ...]

    def all(self, word: str) -> list[Instruction]:
        return [i for i in self.instructions if i.word == word]

    def one(self, word: str) -> Instruction:
        (found,) = self.all(word)
        return found


def instructions(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    parts = [line.partition(" ") for line in joined.splitlines()]
    return [Instruction(word.upper(), value.strip()) for word, _, value in parts]


def stages(path: Path) -> list[Stage]:
    """In order; what stands before the first FROM is ARGs, which are filled into the names of base images."""
    given: dict[str, str] = {}
    found: list[tuple[str, str, list[Instruction]]] = []
    for instruction in instructions(path.read_text()):
        if instruction.word == "FROM":
            base, _, name = filled(instruction.value, given).partition(" AS ")
            found.append((name or "final", base, []))
        elif found:
            found[-1][2].append(instruction)
        else:
            given |= instruction.pairs()
    return [Stage(name, base, tuple(inside)) for name, base, inside in found]


def filled(text: str, values: dict[str, str]) -> str:
    """`$NAME` and `${NAME}` by their values; what is not known is a mistake."""
    return VARIABLE.sub(lambda m: values[m[1] or m[2]], text)
