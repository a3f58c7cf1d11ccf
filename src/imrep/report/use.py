"""Commands that use what was measured, as they can be typed where the comparison was run."""

import json
from pathlib import Path

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
        lines.append(f"rep = imrep.load({_quoted(folder / _SAVED.parent)})")
        if data:
            arguments = f"{json.dumps(data, ensure_ascii=False)}, rep, size={findings.meta.S}"
            lines.append(f"vectors = imrep.embed({arguments}).vectors")
    if (folder / answers.FILENAME).is_file():
        lines.append(f"answers = parquet.read_table({_quoted(folder / answers.FILENAME)})")
    if not lines:
        return ""
    imports = ["import imrep"] if "imrep." in lines[0] else []
    imports += ["from pyarrow import parquet"] if "parquet." in lines[-1] else []
    return "\n".join([*imports, "", *lines])


def _quoted(path: Path) -> str:
    return json.dumps(path.as_posix(), ensure_ascii=False)
