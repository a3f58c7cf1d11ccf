"""The line on suspected label errors after the table of a comparison."""

from typing import TYPE_CHECKING

from imrep.io.names import printable
from imrep.plural import several
from imrep.results import SUSPECTS

if TYPE_CHECKING:
    from imrep.api import Comparison


def suspect_lines(comparison: "Comparison") -> list[str]:
    """How many labels to check, how many look wrong, and the list; empty without any."""
    listed = len(comparison.suspects())
    if not listed:
        return []
    wrong = next((row.value for row in comparison.rows if row.metric == "wrong"), None)
    estimate = "none need be wrong" if not wrong else f"about {wrong:.0f} look wrong"
    path = printable(comparison.folder / SUSPECTS)
    return [f"{several(listed, 'label')} to check, {estimate}: {path}"]
