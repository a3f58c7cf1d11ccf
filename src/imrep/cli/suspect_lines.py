"""The line on suspected label errors after the table of a comparison."""

from typing import TYPE_CHECKING

from imrep.io.names import printable
from imrep.plural import several
from imrep.results import SUSPECTS

if TYPE_CHECKING:
    from imrep.api import Comparison


def suspect_lines(comparison: "Comparison") -> list[str]:
    """How many labels to check, how many of them are wrong, and the list; empty without any."""
    listed = len(comparison.suspects())
    if not listed:
        return []
    values = {row.metric: row.value or 0 for row in comparison.rows if row.kind == "suspects"}
    wrong = listed - values["right"] if values["wrong"] else 0
    estimate = f"about {wrong:.0f} of them wrong" if wrong else "none need be wrong"
    path = printable(comparison.folder / SUSPECTS)
    return [f"{several(listed, 'label')} to check, {estimate}: {path}"]
