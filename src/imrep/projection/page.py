"""A map as one HTML file that loads nothing: points, thumbnails, the script that paints them."""

import base64
import functools
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from imrep import __version__
from imrep.plural import several
from imrep.projection.faithfulness import Faithfulness
from imrep.projection.layout import MAX_COMPONENTS, Layout
from imrep.projection.thumbnails import COLUMNS, Thumbnails
from imrep.report import inline

_WITHOUT_CLASS = 0xFFFFFFFF
_PAPERS = {
    "pacmap": "PaCMAP (Wang, Huang, Rudin and Shaposhnik, JMLR 2021)",
    "umap": "UMAP (McInnes, Healy and Melville, 2018)",
    "pca": "the first two principal components of the vectors",
}


def render(  # noqa: PLR0913  # the parts of a map
    name: str,
    layout: Layout,
    faithfulness: Faithfulness,
    thumbnails: Thumbnails,
    *,
    paths: Sequence[str] | None,
    labels: Sequence[str | None],
    spec: str,
    dim: int,
    seed: int,
) -> str:
    """The page as text.

    Args:
        name: Of the vectors.
        layout: Positions of n images.
        faithfulness: Of these positions.
        thumbnails: Of the n images, or of a part.
        paths: Of the n images; None where they have none.
        labels: Of the n images, None without one; or empty.
        spec: The representation; "" where it is not known.
        dim: Length of a vector.
        seed: Of the layout.
    """
    count = len(layout.positions)
    classes, codes = _classes(labels, count)
    positions = _centred(layout.positions)
    data = {
        "count": count,
        "positions": _packed(positions.astype("<f4")),
        "reach": [max(1e-3, float(axis)) for axis in np.abs(positions).max(0)],
        "codes": _packed(codes.astype("<u4")),
        "classes": classes,
        "tiles": _packed(thumbnails.tiles.astype("<i4")),
        "side": thumbnails.side,
        "columns": COLUMNS,
        "paths": None if paths is None else list(paths),
    }
    return _template().render(
        name=name,
        version=__version__,
        count=f"{count:,}",
        headline=_headline(count, spec, layout.method),
        meaning=_meaning(layout.method),
        faithful=sentence(faithfulness),
        method=_method(layout, thumbnails, count, dim, seed),
        classes=classes,
        emphasised=inline.emphasised,
        data=inline.as_json(data),
        sheets=[Markup(base64.b64encode(sheet).decode()) for sheet in thumbnails.sheets],
        style=Markup(f"{inline.text_of('style.css')}\n{_text_of('map.css')}"),
        script=Markup("\n".join(map(_text_of, ("map.js", "selection.js")))),
    )


def sentence(measured: Faithfulness) -> str:
    """What was measured of a map, in words."""
    k = measured.neighbours
    share, chance = _percent(measured.preserved), _percent(measured.chance)
    text = (
        f"Of the {several(k, 'image')} most similar to an image, {share} are among its "
        f"{k} nearest on the map; a map at random would have {chance}."
    )
    if measured.trustworthiness is not None:
        text += (
            f" Trustworthiness {measured.trustworthiness:.2f}, where 1 is best and 0.5 is random."
        )
    return text


def _headline(count: int, spec: str, method: str) -> str:
    by = f" by **{spec}**" if spec else ""
    if method == "pca":
        return f"{several(count, 'image')}{by}, on their principal components"
    return f"{several(count, 'image')}{by}: those with similar vectors lie close together"


def _meaning(method: str) -> str:
    if method == "pca":
        return "The axes are the two directions in which the vectors vary most."
    return (
        "The axes have no meaning, nor have the sizes of groups and the distances between far ones."
    )


def _method(layout: Layout, thumbnails: Thumbnails, count: int, dim: int, seed: int) -> list[str]:
    """How the map was made, in sentences."""
    reduced = f", reduced to {min(MAX_COMPONENTS, count)} principal components"
    sentences = [
        f"Vectors of {several(dim, 'number')}, divided by their length"
        f"{reduced if dim > MAX_COMPONENTS else ''}, are laid out by {_PAPERS[layout.method]}"
        f"{f', seed {seed}' if layout.method != 'pca' else ''}.",
        *layout.notes,
        "Nearest neighbours are those of the largest cosine, as imrep search ranks them. Share and "
        "trustworthiness (Venna and Kaski 2001, doi:10.1007/3-540-44668-0_68) are measured on at "
        "most 1,000 images against all.",
    ]
    if thumbnails.number == 0:
        sentences.append("There are no thumbnails, since no image was at the paths of the vectors.")
    elif thumbnails.number < count:
        sentences.append(f"{thumbnails.number:,} of {count:,} images have a thumbnail.")
    return sentences


def _classes(
    labels: Sequence[str | None], count: int
) -> tuple[list[dict[str, Any]], NDArray[np.int64]]:
    """The classes, the largest first, and the position of each image's class among them."""
    counts = Counter(label for label in labels if label is not None)
    ordered = sorted(counts, key=lambda label: (-counts[label], label))
    code = {label: position for position, label in enumerate(ordered)}
    codes = np.full(count, _WITHOUT_CLASS, np.int64)
    for row, label in enumerate(labels):
        if label is not None:
            codes[row] = code[label]
    return [{"name": label, "count": counts[label]} for label in ordered], codes


def _centred(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Positions in [-1, 1], both axes on one scale."""
    middle = (positions.min(0) + positions.max(0)) / 2
    scaled = positions - middle
    return scaled / (np.abs(scaled).max() or 1)


def _packed(array: NDArray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _percent(share: float) -> str:
    number = f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}"
    return f"{number}\N{NO-BREAK SPACE}%"


@functools.cache
def _text_of(filename: str) -> str:
    """The text of a file beside this one."""
    return files("imrep.projection").joinpath(filename).read_text(encoding="utf-8")


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_text_of),
    )
    return environment.get_template("map.html.jinja")
