"""The table of `imrep compare --sizes`: score, interval and time at every size."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from imrep.comparison.conclusions.phrases import percent_range
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.api import Comparison

_MAX_LINES = 8  # the best; the report has all
_SCORES = {"accuracy": "accuracy", "precision": "mAP", "r2": "R²", "object": "mAP"}


def size_lines(comparison: "Comparison") -> list[str]:
    """Lines of text; none without `--sizes`."""
    by_size = comparison.by_size()
    if not by_size:
        return []
    sizes = sorted({line["size"] for line in by_size})
    cells = {(line["spec"], line["size"]): _cell(line) for line in by_size}
    present = {line["spec"] for line in by_size}
    specs = [line["spec"] for line in comparison.table() if line["spec"] in present]
    names = specs[:_MAX_LINES]
    rows = [[f"{size} px" for size in sizes]]
    rows += [[cells.get((name, size), "-") for size in sizes] for name in names]
    lines = [_heading(by_size), *_aligned(["", *names], rows)]
    if len(specs) > len(names):
        lines.append(f"  {several(len(specs) - len(names), 'other')} in the report")
    return lines


def _heading(by_size: Sequence[dict[str, Any]]) -> str:
    score = next((name for name in _SCORES if name in by_size[0]), "")
    words = {name: f"{text} (95% CI), " for name, text in _SCORES.items()} | {"": ""}
    return f"By image size: {words[score]}ms"


def _cell(line: dict[str, Any]) -> str:
    """63% (57-70), 0.04 ms."""
    time = f"{line['ms']:.3f}"
    score = next((line[name] for name in _SCORES if name in line), None)
    if score is None:
        return time
    return f"{100 * score:.0f}% ({percent_range(line['lo'], line['hi'])}) {time:>7}"


def _aligned(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    name_width = max(map(len, names))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [f"  {name:{name_width}}", *(f"{c:>{w}}" for c, w in zip(row, widths, strict=True))]
        )
        for name, row in zip(names, rows, strict=True)
    ]
