"""Retrieval of the same object beside classes: the page's plots once more, of its scores."""

from dataclasses import replace

from imrep.report import differences, scatter, tables
from imrep.report.findings import Findings
from imrep.report.frame import Chart
from imrep.report.tables import Table
from imrep.results import Row


def beside_classes(findings: Findings) -> Findings | None:
    """The run as if retrieval were its only score; None where it is, or was not asked for."""
    verdict = findings.verdict.get("retrieval")
    if not verdict:
        return None
    rows = [row for row in findings.rows if _is_kept(row)]
    return Findings([*rows, replace(findings.meta, spec=verdict["pick"], detail=verdict)])


def charts(retrieved: Findings) -> list[Chart]:
    """Mean average precision and cost, and differences to the best."""
    plots = [replace(scatter.accuracy_and_cost(retrieved), id="object-cost")]
    if len(retrieved.contenders) > 1:
        plots.append(replace(differences.differences(retrieved), id="object-differences"))
    return plots


def differences_table(retrieved: Findings) -> Table:
    """Differences to the best, with their intervals."""
    return tables.differences(retrieved)


def _is_kept(row: Row) -> bool:
    if row.kind in ("accuracy", "difference"):
        return row.metric == "retrieval"
    return row.kind != "verdict" and row.role != "control"
