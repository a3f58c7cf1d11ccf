"""Whether a lower learning curve would overtake the highest with more labels, in sentences."""

from imrep.plural import several
from imrep.report.findings import Findings

_METRIC = ("accuracy", "probe_crossing")


def sentences(findings: Findings) -> list[str]:
    """One for each curve that would, and one for all of which that cannot be told."""
    certain, unclear, leader = [], [], ""
    for spec in findings.measured(*_METRIC):
        (leader,) = findings.details(*_METRIC, spec)
        row = findings.row(*_METRIC, spec, leader)
        if row is None or row.value is None or row.lo is None or row.hi is None:
            unclear.append(findings.short[spec])
            continue
        certain.append(
            f"**{findings.short[spec]}** would overtake {findings.short[leader]} at about "
            f"{_count(row.value)} labelled images per class (95% interval {_count(row.lo)} to "
            f"{_count(row.hi)}), if the errors of both go on to fall as they do here."
        )
    if unclear:
        *first, last = unclear
        either = f"{', '.join(first)} or {last}" if first else last
        certain.append(
            f"Whether {either} would overtake {findings.short[leader]} with more "
            f"labels cannot be told from {several(findings.meta.n, 'image')}."
        )
    return certain


def _count(labels: float) -> str:
    """To two digits."""
    return f"{round(labels, 2 - len(str(round(labels)))):,.0f}"
