"""Rows of one run, and what all of them have in common."""

import platform
import time
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from imrep.comparison.probes.predictions import Coded
from imrep.results import Row

_PACKAGES = ("imrep", "torch", "numpy", "scipy", "scikit-learn", "opencv-python-headless", "pillow")


@dataclass
class Record:
    """A growing list of rows.

    Args:
        common: The row from which all others take run, data, seed, versions and the like.
        rows: What has been added so far.
    """

    common: Row
    rows: list[Row] = field(default_factory=list)

    def add(self, number: str, value: float | None, unit: str = "", **more: Any) -> None:
        """Add "kind.metric" with its value; `more` are further fields of the row."""
        kind, metric = number.split(".")
        given = {"kind": kind, "metric": metric, "value": value, "unit": unit, **more}
        self.rows.append(replace(self.common, **given))

    def of(self, coded: Coded, number: str, value: float | None, unit: str, **more: Any) -> None:
        """The same for a number about one contender, at the size it read."""
        contender = coded.contender
        who = {
            "spec": coded.spec,
            "fingerprint": contender.fingerprint,
            "role": contender.role,
            "fitted_on": coded.fitted_on,
            "S": coded.side,
        }
        self.add(number, value, unit, **(who | more))


def start(**known: Any) -> Record:
    """A record whose rows know when, where and with what they were measured."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    base = Row(kind="data", metric="files", cpu=processor(), versions=versions(), time=now)
    return Record(replace(base, **known))


@cache
def versions() -> dict[str, str]:
    """Versions of the packages that the numbers rest on."""
    return {name: version(name) for name in _PACKAGES}


@cache
def processor() -> str:
    """The processor's name, as well as the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
