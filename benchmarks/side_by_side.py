"""Contestants timed in turns, on one thread, and what memory each takes: for the scripts beside it.

    bench = Benchmark("scattering")
    bench.run(
        "64 x 3 x 32^2, J=2",
        ours,                                  # called with native kernels, and again without
        peers={"Kymatio": theirs},
        agree=lambda ours, theirs: assert_close(ours, theirs),
        floors={"Kymatio": (4.5, 3.5)},        # at least so many times as fast: native, torch
    )
    bench.finish()

Times are processor time: medians with quartiles over rounds in which everybody runs once, in an
order that turns. A ratio is the median of the rounds' own ratios, so that a busy machine slows both
sides of it. `agree` must hold before anything is timed.
"""

import argparse
import ctypes
import gc
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from imrep import _native
from imrep._native import Name

Work = Callable[[], Any]
Floors = Mapping[str, tuple[float, float]]  # peer: (with the kernels, without them)


class Benchmark:
    """A table of works, a line each, printed as they end.

    Args:
        title: What is measured.
        native: Which library of C kernels ours may use; None where there is none for it.
        alone: Whether ours cannot do without it.
    """

    def __init__(self, title: str, native: Name | None = None, alone: bool = False) -> None:
        parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
        parser.add_argument("--rounds", type=int, default=11, help="rounds of turns")
        parser.add_argument("--only", default="", help="works whose name holds this")
        parser.add_argument("--json", type=Path, help="write the rows here as JSON lines")
        self.options = parser.parse_args()
        self.title, self.native, self.alone = title, native, alone
        self.rows: list[dict[str, Any]] = []
        self.console = Console(width=None if sys.stdout.isatty() else 140)
        torch.set_num_threads(1)
        state = f"native {native}: {_native.state(native)}" if native else "no native kernels"
        self.console.print(f"[bold]{title}[/]  one thread, torch {torch.__version__}, {state}")

    def run(
        self,
        work: str,
        ours: Work,
        *,
        peers: Mapping[str, Work],
        agree: Callable[[Any, Any], None],
        floors: Floors,
        inputs: float = 0,
    ) -> None:
        """Check, time and measure one work.

        Args:
            work: Its name.
            ours: Called without arguments; returns what `agree` looks at.
            peers: The same work by others.
            agree: Raises where the first argument (ours) and the second (a peer's) differ.
            floors: How many times as fast as a peer it should be.
            inputs: Bytes that go in. The peak is printed as a multiple of them and the outputs.
        """
        if self.options.only not in work:
            return
        modes = ["native", "torch"] if self.native and _native.library(self.native) else ["torch"]
        modes = ["native"] if self.alone else modes
        contestants = {mode: _as(mode, ours) for mode in modes} | dict(peers)
        results = {name: call() for name, call in contestants.items()}  # also warms up
        for mode, peer in itertools.product(modes, peers):
            agree(results[mode], results[peer])
        outputs = _bytes(results[modes[0]])
        del results
        times = self._times(contestants)
        for mode in modes:
            memory = peak(contestants[mode])
            row = {"work": work, "mode": mode, "ms": _quartiles([1e3 * t for t in times[mode]])}
            row |= {"peak": inputs + memory, "moved": inputs + outputs}
            for peer in peers:
                floor = floors.get(peer, (None, None))[mode != "native"]
                ratios = [p / o for p, o in zip(times[peer], times[mode], strict=True)]
                row[peer] = {
                    "ms": _quartiles([1e3 * t for t in times[peer]]),
                    "ratio": _quartiles(ratios),
                    "floor": floor,
                }
            self.rows.append(row)
            self._print(row, list(peers))

    def finish(self) -> None:
        """Write the rows if asked to; end with 1 where a floor was missed."""
        if self.options.json:
            with self.options.json.open("a") as file:
                for row in self.rows:
                    file.write(json.dumps({"benchmark": self.title, **row}) + "\n")
        missed = sum(
            cell["floor"] is not None and cell["ratio"][1] < cell["floor"]
            for row in self.rows
            for cell in row.values()
            if isinstance(cell, dict)
        )
        sys.exit(1 if missed else 0)

    def _times(self, contestants: Mapping[str, Work]) -> dict[str, list[float]]:
        times: dict[str, list[float]] = {name: [] for name in contestants}
        names = list(contestants)
        for round_index in range(self.options.rounds):
            for name in names[round_index % len(names) :] + names[: round_index % len(names)]:
                began = time.process_time()
                result = contestants[name]()
                times[name].append(time.process_time() - began)
                del result
        return times

    def _print(self, row: dict[str, Any], peers: list[str]) -> None:
        table = Table.grid(padding=(0, 2))
        table.add_column(width=38)
        table.add_column(width=7)
        table.add_column(width=24, justify="right")
        first, middle, third = row["ms"]
        cells = [row["work"], row["mode"], f"{middle:.4g} ms [{first:.4g}–{third:.4g}]"]
        for peer in peers:
            low, ratio, high = row[peer]["ratio"]
            floor = row[peer]["floor"]
            verdict = f", {'met' if ratio >= (floor or 0) else 'MISSED'}: {floor or 0:.3g}"
            verdict = verdict if floor is not None else ""
            cells.append(f"{ratio:.2f}× [{low:.2f}–{high:.2f}] {peer}{verdict}")
        if row["moved"]:
            cells.append(f"peak {row['peak'] / 1e6:.0f} MB = {row['peak'] / row['moved']:.1f}×")
        table.add_row(*cells)
        self.console.print(table)


def peak(work: Work) -> int:
    """Bytes that a call takes at most beyond what was held before it, its result included."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before = _resident("VmRSS")
    result = work()
    after = _resident("VmHWM")
    del result
    return max(0, after - before)


def _resident(field: str) -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if field in line)


def _as(mode: str, work: Work) -> Work:
    def call() -> Any:
        with _native.switched_off() if mode == "torch" else nullcontext():
            return work()

    return call


def _bytes(result: Any) -> int:
    if isinstance(result, list | tuple):
        return sum(map(_bytes, result))
    return getattr(result, "nbytes", 0)


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high
