"""results.jsonl and assets/ -> one self-contained HTML page."""

from pathlib import Path

from imrep import results
from imrep.assets import Assets
from imrep.io.files import write_text

FILENAME = "index.html"


def write(folder: Path | str) -> Path:
    """Write the page of a folder that holds `results.jsonl` and `assets/`.

    Args:
        folder: Output of `imrep compare`. The page is written into it atomically.

    Returns:
        The path of `index.html`.

    Raises:
        BadData: The results, the verdict among them, or the assets are missing or broken.
    """
    from imrep.report import page  # vl-convert and jinja2 are slow to import

    folder = Path(folder)
    rows = results.read(folder / results.FILENAME)
    html = page.render(rows, Assets.load(folder), folder)
    write_text(folder / FILENAME, html)
    return folder / FILENAME
