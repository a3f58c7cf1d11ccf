"""The rows of results.jsonl, and the fields that all rows of a run share."""

import platform
import time
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.results import Row

_PACKAGES = ("imrep", "torch", "numpy", "scipy", "scikit-learn", "opencv-python-headless", "pillow")


@dataclass
class Rows:
    """A growing list of rows.

    Args:
        common: The row from which all others copy run, data, seed, versions and the like.
        rows: The rows added so far.
    """

    common: Row
    rows: list[Row] = field(default_factory=list)

    def add(  # noqa: PLR0913  # one argument for each field that differs between rows
        self,
        name: str,
        value: float | None,
        unit: str = "",
        *,
        detail: str | dict[str, Any] = "",
        lo: float | None = None,
        hi: float | None = None,
        spec: str = "",
        role: str = "",
    ) -> None:
        """Add a number by its "kind.metric"."""
        kind, metric = name.split(".")
        self.rows.append(
            replace(
                self.common,
                kind=kind,
                metric=metric,
                value=value,
                unit=unit,
                detail=detail,
                lo=lo,
                hi=hi,
                spec=spec,
                role=role,
            )
        )

    def add_for(  # noqa: PLR0913  # one argument for each field that differs between rows
        self,
        encoded: EncodedCandidate,
        name: str,
        value: float | None,
        unit: str,
        *,
        detail: str | dict[str, Any] = "",
        lo: float | None = None,
        hi: float | None = None,
        size: int | None = None,
    ) -> None:
        """Add a number about one candidate; `size` is by default the side of the images it read."""
        candidate = encoded.candidate
        self.add(name, value, unit, detail=detail, lo=lo, hi=hi, spec=encoded.spec)
        self.rows[-1] = replace(
            self.rows[-1],
            fingerprint=candidate.fingerprint,
            role=candidate.role,
            fitted_on=encoded.fitted_on,
            S=encoded.side if size is None else size,
        )


def started() -> Row:
    """A row with the time, the processor and the packages' versions."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return Row(kind="data", metric="files", cpu=processor(), versions=versions(), time=now)


@cache
def versions() -> dict[str, str]:
    """Versions of the packages that the numbers depend on."""
    return {name: version(name) for name in _PACKAGES}


@cache
def processor() -> str:
    """The processor's name, as far as the system reports it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
