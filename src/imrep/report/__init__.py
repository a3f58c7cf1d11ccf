"""results.jsonl and assets/ -> one HTML page that needs nothing else, not even a network."""

from pathlib import Path

from imrep import results
from imrep.assets import Assets
from imrep.io.files import write_text

FILENAME = "index.html"


def write(folder: Path | str) -> Path:
    """Draw the page of a folder that holds `results.jsonl` and `assets/`.

    Args:
        folder: As `imrep compare -o` leaves it; the page is written into it, whole or not at all.

    Returns:
        The path of `index.html`.

    Raises:
        BadData: The results, the verdict among them, or the assets are missing or broken.
    """
    from imrep.report import page  # vl-convert and jinja2 are wanted only by those who draw

    folder = Path(folder)
    rows = results.read(folder / results.FILENAME)
    html = page.render(rows, Assets.load(folder), folder)
    write_text(folder / FILENAME, html)
    return folder / FILENAME
