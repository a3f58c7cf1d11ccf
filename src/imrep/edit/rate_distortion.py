"""How well an image is kept at how many bits: `compress` by each method, beside JPEG."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import vl_convert
from PIL import Image as Pillow

from imrep import checks
from imrep.codec import METHODS
from imrep.edit.operations.compress import compress
from imrep.edit.operations.decode import decode
from imrep.errors import BadImage, BadParameter
from imrep.io.files import write_atomic
from imrep.ops.metrics import psnr, ssim
from imrep.types import Image

JPEG = "jpeg"  # the yardstick

_QUALITIES = (5, 10, 20, 35, 50, 65, 75, 85, 92, 97)
_COLOURS = {"dct": "#0b7a75", "laplacian": "#3a6ea5", JPEG: "#a8480f"}
_INK, _SOFT, _FAINT, _PAPER = "#17202a", "#55606c", "#e1e5e9", "#ffffff"
_VEGA_LITE = "6.4"
_SHARP = 2  # pixels of a PNG to a CSS pixel

Spec = dict[str, Any]


class Point(NamedTuple):
    """An image at one quality.

    Attributes:
        method: "dct", "laplacian" or "jpeg", which is Pillow's with chroma halved as ours.
        quality: As the method was given it.
        bits_per_pixel: Of the whole file.
        psnr: In dB.
        ssim: At most 1.
    """

    method: str
    quality: float
    bits_per_pixel: float
    psnr: float
    ssim: float


def curve(
    image: Image,
    qualities: Sequence[int] = _QUALITIES,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Point]:
    """The points of each method, from low quality to high.

    Args:
        image: (1, 1|3, h, w), values in [0, 1].
        qualities: From 1 to 100.
        progress: Called with ("dct at quality 75", done, all) before each point, and at the end.

    Raises:
        BadImage: No image, or several.
        BadParameter: No quality, or one out of range.
    """
    checks.image(image, "a rate curve")
    if len(image) != 1:
        raise BadImage(f"a rate curve needs one image, got {len(image)}. Draw them one by one.")
    if not qualities:
        raise BadParameter("a rate curve needs at least one quality, got none.")
    image = image.detach().cpu()
    asked = [(method, quality) for method in (*METHODS, JPEG) for quality in sorted(qualities)]
    points = []
    for done, (method, quality) in enumerate(asked):
        if progress:
            progress(f"{method} at quality {quality}", done, len(asked))
        points.append(_point(image, method, quality))
    if progress:
        progress("rate curve", len(asked), len(asked))
    return points


def draw(points: Sequence[Point], path: str | Path) -> None:
    """Write PSNR and SSIM against bits per pixel, as .png or .svg, complete or not at all.

    Raises:
        BadParameter: If the path ends otherwise.
    """
    path = drawable(path)
    write_atomic(path, _DRAWN[path.suffix.lower()](_spec(points)))


def drawable(path: str | Path) -> Path:
    """The path, if a curve can be drawn there.

    Raises:
        BadParameter: If it ends neither in .png nor in .svg.
    """
    path = Path(path)
    if path.suffix.lower() not in _DRAWN:
        raise BadParameter(
            f"a rate curve is drawn as {' or '.join(_DRAWN)}, got {path.name!r}. "
            f"Try {f'{path.stem}.png'!r}."
        )
    return path


def _point(image: Image, method: str, quality: int) -> Point:
    if method == JPEG:
        checks.between(quality, 1, 100, "a rate curve", "quality")
        bits, again = _jpeg(image, quality)
    else:
        packed = compress(image, method=method, quality=quality)
        bits, again = packed.bits_per_pixel, decode(packed)
    return Point(method, quality, bits, psnr(again, image), ssim(again, image))


def _jpeg(image: Image, quality: int) -> tuple[float, Image]:
    """Bits per pixel and the image that JPEG makes of its 8 bits."""
    levels = image[0].clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Pillow.fromarray(levels.squeeze(2) if levels.shape[2] == 1 else levels).save(
        file, "JPEG", quality=quality
    )
    with Pillow.open(file) as opened:
        pixels = torch.from_numpy(np.array(opened)).view(*levels.shape)
    bits = 8 * len(file.getvalue()) / (levels.shape[0] * levels.shape[1])
    return bits, pixels.permute(2, 0, 1)[None].float().div_(255)


def _spec(points: Sequence[Point]) -> Spec:
    values = [point._asdict() for point in points]
    axis = {"labelColor": _SOFT, "titleColor": _SOFT, "titleFontWeight": 400, "gridColor": _FAINT}
    axis |= {"domainColor": _SOFT, "tickColor": _SOFT, "labelFontSize": 12, "titleFontSize": 12}
    bits = [point.bits_per_pixel for point in points]
    ticks = [n * 10.0**e for e in range(-4, 3) for n in (1, 2, 5)]
    ticks = [tick for tick in ticks if min(bits, default=1) <= tick <= max(bits, default=1)]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": "Likeness against bits per pixel, by method",
        "background": _PAPER,
        "padding": 12,
        "data": {"values": values},
        "hconcat": [_panel("psnr", "PSNR, dB", ticks), _panel("ssim", "SSIM", ticks)],
        "spacing": 36,
        "config": {"font": "system-ui, sans-serif", "axis": axis, "view": {"stroke": None}},
    }


def _panel(field: str, title: str, ticks: Sequence[float]) -> Spec:
    """One measure; dots of the one method that counts most carry their quality."""
    bits = {"title": "bits per pixel →", "format": "~r", "grid": False, "values": ticks}
    high = {"title": f"↑ {title}", "titleAngle": 0, "titleAlign": "left", "titleAnchor": "end"}
    high |= {"titleX": 0, "titleY": -14, "domain": False, "ticks": False, "grid": True}
    order = list(_COLOURS)
    numbers = f"datum.label + (datum.label == '{order[0]}' ? ' (numbers: quality)' : '')"
    legend = {
        "labelExpr": numbers,
        "labelLimit": 0,
        "labelColor": _INK,
        "title": None,
        "orient": "top",
    }
    legend |= {"symbolType": "circle", "labelFontSize": 12}
    return {
        "width": 360,
        "height": 320,
        "encoding": {
            "x": {
                "field": "bits_per_pixel",
                "type": "quantitative",
                "scale": {"type": "log", "nice": False, "padding": 12},
                "axis": bits,
            },
            "y": {
                "field": field,
                "type": "quantitative",
                "scale": {"zero": False, "padding": 12},
                "axis": high,
            },
            "color": {
                "field": "method",
                "type": "nominal",
                "scale": {"domain": order, "range": list(_COLOURS.values())},
                "legend": legend,
            },
        },
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2}},
            {"mark": {"type": "point", "filled": True, "opacity": 1, "size": 36}},
            {
                "transform": [{"filter": f"datum.method == '{order[0]}'"}],
                "mark": {"type": "text", "dx": -7, "dy": -9, "align": "right", "fontSize": 10},
                "encoding": {"text": {"field": "quality", "format": "~r"}},
            },
        ],
    }


_DRAWN: dict[str, Callable[[Spec], bytes]] = {
    ".png": lambda spec: vl_convert.vegalite_to_png(spec, vl_version=_VEGA_LITE, scale=_SHARP),
    ".svg": lambda spec: vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE).encode(),
}
