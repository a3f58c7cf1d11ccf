"""Commands that use what was measured, as they can be typed where the comparison was run."""

import json
from pathlib import Path
from typing import Any

from imrep import answers
from imrep.report.findings import Findings

_SAVED = Path("pick", "config.json")  # as `Representation.save` writes it


def is_saved(folder: Path) -> bool:
    """Whether the pick lies beside the report."""
    return (folder / _SAVED).is_file()


def code(findings: Findings, folder: Path) -> str:
    """Lines of Python that load the pick, embed the data and read the answers; "" without any."""
    data, lines = findings.verdict["data"], []
    if is_saved(folder):
        lines.append(f"rep = imrep.load({_quoted((folder / _SAVED.parent).as_posix())})")
        if data:
            arguments = f"{_quoted(data)}, rep, size={findings.meta.S}"
            lines.append(f"vectors = imrep.embed({arguments}).vectors")
    if (folder / answers.FILENAME).is_file():
        lines.append(
            f"answers = parquet.read_table({_quoted((folder / answers.FILENAME).as_posix())})"
        )
    if not lines:
        return ""
    imports = ["import imrep"] if "imrep." in lines[0] else []
    imports += ["from pyarrow import parquet"] if "parquet." in lines[-1] else []
    return "\n".join([*imports, "", *lines])


def _quoted(value: Any) -> str:
    """A text or a list of texts as Python reads it; bytes that are no UTF-8 are escaped."""
    return json.dumps(value, ensure_ascii=not json.dumps(value, ensure_ascii=False).isprintable())
