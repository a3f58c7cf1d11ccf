"""What is special about a representation, in the words under its name."""

from imrep.comparison.conclusions.linear_gap import is_large
from imrep.report.findings import Findings
from imrep.results import OUTSIDE


def line_notes(findings: Findings, spec: str) -> str:
    """Its standing, then how it was measured, separated by commas."""
    standing = standing_note(findings, spec)
    notes = [*_measurement(findings, spec), *_surprises(findings, spec)]
    return ", ".join([standing, *notes] if standing else notes)


def caution(findings: Findings, spec: str) -> str:
    """What no fold can tell of vectors that were made elsewhere."""
    vectors = findings.row("cost", "bytes", spec)
    if vectors is None or vectors.fitted_on != "outside":
        return ""
    return f"{OUTSIDE} Where a dash stands, the encoder is needed."


def standing_note(findings: Findings, spec: str) -> str:
    """What its colour says, in words."""
    titles = {
        "pick": findings.pick_note,
        "tied": "tied with the best",
        "together": "weighted combination, not ranked",
        "control": "control",
    }
    return titles.get(findings.standing(spec), "")


def _measurement(findings: Findings, spec: str) -> list[str]:
    """Where its vectors come from."""
    notes = ["your own vectors"] if spec in findings.own else []
    measured = findings.row("cost", "ms", spec)
    if measured is None or spec in findings.own or spec in findings.combined:
        return notes
    if measured.S != findings.meta.S:
        notes.append(f"read at {measured.S} pixels")
    if measured.fitted_on in ("fold", "all"):
        in_folds = measured.fitted_on == "fold" and findings.meta.folds
        budgets = [f"trained for {text}" for text in findings.details("cost", "trained", spec)]
        (verb,) = budgets or ["fitted"]
        notes.append(f"{verb} in each fold" if in_folds else f"{verb} once on all")
    if measured.fingerprint.startswith("object-"):
        notes.append("passed as an object")
    return notes


def _surprises(findings: Findings, spec: str) -> list[str]:
    """Scores that need an explanation."""
    constant = findings.details("accuracy", "constant", spec)
    notes = [f"{constant[0] or 'constant'}: the same code for every image"] if constant else []
    accuracy = findings.value("accuracy", findings.measure, spec)
    linear = findings.value("accuracy", "linear", spec)
    if None not in (accuracy, linear) and spec not in findings.controls:
        assert accuracy is not None
        assert linear is not None
        if is_large(accuracy, linear):
            side = "above" if accuracy > linear else "below"
            notes.append(f"{100 * abs(accuracy - linear):.0f} points {side} linear")
    return notes
