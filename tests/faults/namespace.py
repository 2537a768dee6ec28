"""A network of its own for a worker: a namespace joined to this machine by a cable that can be cut, one way or both.

Nothing leaves the machine: both ends of the cable have addresses of their own, and there is no other way out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Self

HOST, GUEST = "10.213.7.1", "10.213.7.2"
NEAR, FAR = "lepton-near", "lepton-far"


def lacking() -> str:
    """Why there can be no namespace here; empty if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need the ip command (Debian: apt install iproute2)"
    made = subprocess.run(["ip", "netns", "add", "lepton-try"], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", "lepton-try"], capture_output=True, check=False)
    return "" if made.returncode == 0 else f"no network namespaces here: {made.stderr.strip()}"


class Namespace:
    """Made on entering, gone on leaving, with whatever is cut."""

    name = f"lepton-{os.getpid()}"

    @property
    def within(self) -> tuple[str, ...]:
        """The words that start a command in there."""
        return ("ip", "netns", "exec", self.name)

    def __enter__(self) -> Self:
        self.__exit__()
        _ip("netns", "add", self.name)
        _ip("link", "add", NEAR, "type", "veth", "peer", "name", FAR, "netns", self.name)
        _ip("address", "add", f"{HOST}/30", "dev", NEAR)
        _ip("link", "set", NEAR, "up")
        _ip("-n", self.name, "address", "add", f"{GUEST}/30", "dev", FAR)
        for device in (FAR, "lo"):
            _ip("-n", self.name, "link", "set", device, "up")
        return self

    def __exit__(self, *_: object) -> None:
        self.heal()
        for words in (("netns", "del", self.name), ("link", "del", NEAR)):
            subprocess.run(["ip", *words], capture_output=True, check=False)

    def cut(self, *, up: bool) -> None:
        """Packets to the guest are dropped on their way, and with `up` those from it too; nobody is told."""
        _ip("route", "add", "blackhole", f"{GUEST}/32")
        if up:
            _ip("-n", self.name, "route", "add", "blackhole", f"{HOST}/32")

    def heal(self) -> None:
        """All packets pass."""
        for words in (("route", "del", "blackhole", f"{GUEST}/32"),
                      ("-n", self.name, "route", "del", "blackhole", f"{HOST}/32")):  # fmt: skip
            subprocess.run(["ip", *words], capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
