"""Rate–distortion: how close an image remains at how many bits, by each method and by JPEG."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import vl_convert
from PIL import Image as Pillow

from imrep import checks
from imrep.codec import METHODS
from imrep.codec.packed import Packed
from imrep.edit.operations.compress import compress
from imrep.errors import BadImage, BadParameter
from imrep.io.files import write_atomic
from imrep.ops.metrics import psnr, ssim
from imrep.types import Image, Progress

JPEG = "jpeg"  # Pillow's, for comparison

_QUALITIES = (5, 10, 20, 35, 50, 65, 75, 85, 92, 97)
_COLOURS = {"dct": "#0b7a75", "laplacian": "#3a6ea5", JPEG: "#a8480f"}
_INK, _SOFT, _FAINT, _PAPER = "#17202a", "#55606c", "#e1e5e9", "#ffffff"
_VEGA_LITE = "6.4"
_PNG_SCALE = 2  # pixels of a PNG to a CSS pixel

Spec = dict[str, Any]


@dataclass(frozen=True)
class RateDistortion:
    """The rate and the distortion of a packed image.

    Args:
        bytes: Length of the file.
        bits_per_pixel: Of the file, with all that it holds.
        psnr: Of the decoded image against the original, in dB.
        ssim: Of the decoded image against the original, at most 1.
    """

    bytes: int
    bits_per_pixel: float
    psnr: float
    ssim: float


class Point(NamedTuple):
    """An image at one quality.

    Attributes:
        method: "dct", "laplacian" or "jpeg", which is Pillow's with chroma halved as ours.
        quality: The method's quality parameter.
        bits_per_pixel: Of the whole file.
        psnr: In dB.
        ssim: At most 1.
    """

    method: str
    quality: float
    bits_per_pixel: float
    psnr: float
    ssim: float


def measure(packed: Packed, image: Image) -> RateDistortion:
    """The rate and the distortion of a packed image against the original."""
    decoded, image = packed.image(), image.cpu()
    return RateDistortion(
        len(packed.data), packed.bits_per_pixel, psnr(decoded, image), ssim(decoded, image)
    )


def curve(
    image: Image,
    qualities: Sequence[int] = _QUALITIES,
    *,
    progress: Progress | None = None,
) -> list[Point]:
    """The points of each method, from low quality to high.

    Args:
        image: (1, 1|3, h, w), values in [0, 1].
        qualities: From 1 to 100.
        progress: Called with ("dct at quality 75", completed, total) before each point, and at the
            end.

    Raises:
        BadImage: There is no image, or several.
        BadParameter: There is no quality, or one is out of range.
    """
    checks.image(image, "a rate curve")
    if len(image) != 1:
        raise BadImage(f"a rate curve needs one image, got {len(image)}. Draw them one by one.")
    if not qualities:
        raise BadParameter("a rate curve needs at least one quality, got none.")
    image = image.detach().cpu()
    settings = [(method, quality) for method in (*METHODS, JPEG) for quality in sorted(qualities)]
    points = []
    for completed, (method, quality) in enumerate(settings):
        if progress:
            progress(f"{method} at quality {quality}", completed, len(settings))
        points.append(_point(image, method, quality))
    if progress:
        progress("rate curve", len(settings), len(settings))
    return points


def draw(points: Sequence[Point], path: str | Path) -> None:
    """Write PSNR and SSIM against bits per pixel as .png or .svg, atomically.

    Raises:
        BadParameter: The path has another suffix.
    """
    path = check_path(path)
    write_atomic(path, _RENDERERS[path.suffix.lower()](_spec(points)))


def check_path(path: str | Path) -> Path:
    """The path, if a curve can be drawn there.

    Raises:
        BadParameter: It ends neither in .png nor in .svg.
    """
    path = Path(path)
    if path.suffix.lower() not in _RENDERERS:
        raise BadParameter(
            f"a rate curve is drawn as {' or '.join(_RENDERERS)}, got {path.name!r}. "
            f"Try {f'{path.stem}.png'!r}."
        )
    return path


def _point(image: Image, method: str, quality: int) -> Point:
    if method == JPEG:
        checks.between(quality, 1, 100, "a rate curve", "quality")
        bits, decoded = _jpeg(image, quality)
    else:
        packed = compress(image, method=method, quality=quality)
        bits, decoded = packed.bits_per_pixel, packed.image()
    return Point(method, quality, bits, psnr(decoded, image), ssim(decoded, image))


def _jpeg(image: Image, quality: int) -> tuple[float, Image]:
    """Bits per pixel and the decoded image of a JPEG of the image's 8-bit values."""
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
        "description": "PSNR and SSIM against bits per pixel, by method",
        "background": _PAPER,
        "padding": 12,
        "data": {"values": values},
        "hconcat": [_panel("psnr", "PSNR, dB", ticks), _panel("ssim", "SSIM", ticks)],
        "spacing": 36,
        "config": {"font": "system-ui, sans-serif", "axis": axis, "view": {"stroke": None}},
    }


def _panel(field: str, title: str, ticks: Sequence[float]) -> Spec:
    """The panel of one metric; the first method's dots are labelled with their quality."""
    x_axis = {"title": "bits per pixel →", "format": "~r", "grid": False, "values": ticks}
    y_axis = {"title": f"↑ {title}", "titleAngle": 0, "titleAlign": "left", "titleAnchor": "end"}
    y_axis |= {"titleX": 0, "titleY": -14, "domain": False, "ticks": False, "grid": True}
    order = list(_COLOURS)
    label = f"datum.label + (datum.label == '{order[0]}' ? ' (numbers: quality)' : '')"
    legend = {
        "labelExpr": label,
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
                "axis": x_axis,
            },
            "y": {
                "field": field,
                "type": "quantitative",
                "scale": {"zero": False, "padding": 12},
                "axis": y_axis,
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


_RENDERERS: dict[str, Callable[[Spec], bytes]] = {
    ".png": lambda spec: vl_convert.vegalite_to_png(spec, vl_version=_VEGA_LITE, scale=_PNG_SCALE),
    ".svg": lambda spec: vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE).encode(),
}
