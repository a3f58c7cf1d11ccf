"""The figure of what each layer keeps: reconstructions above their PSNR and SSIM."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import vl_convert
from PIL import Image as Pillow

from imrep import images
from imrep.inversion.by_layer import LayerInversion
from imrep.types import Image, Picture

_VEGA_LITE = "6.4"
_INK, _SOFT, _FAINT, _ACCENT = "#1c1b19", "#6f6a62", "#e4e0d8", "#b4552d"
_TILE = 160  # px
_SCALE = 2.0
_ORIGINAL = "image"

Spec = dict[str, Any]


def figure(image: Image, results: Sequence[LayerInversion]) -> Picture:
    """The image and its inversions in a row, above their PSNR in dB and their SSIM by layer."""
    png = vl_convert.vegalite_to_png(_spec(image, results), vl_version=_VEGA_LITE, scale=_SCALE)
    return images.read(png)


def _spec(image: Image, results: Sequence[LayerInversion]) -> Spec:
    rows: list[Spec] = [
        {
            "layer": each.layer,
            "png": _png(each.inversion.image),
            "psnr": each.inversion.psnr,
            "ssim": each.inversion.ssim,
        }
        for each in results
    ]
    rows.insert(0, {"layer": _ORIGINAL, "png": _png(image), "psnr": None, "ssim": None})
    names = [row["layer"] for row in rows]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": "Reconstructions by layer, with their PSNR and SSIM",
        "background": "#ffffff",
        "padding": 12,
        "data": {"values": rows},
        "vconcat": [
            _pictures(names),
            _panel("psnr", "PSNR, dB", ".1f", names),
            _panel("ssim", "SSIM", ".2f", names),
        ],
        "spacing": 24,
        "config": {"font": "system-ui, sans-serif", "view": {"stroke": None}},
    }


def _pictures(names: Sequence[str]) -> Spec:
    mark = {"type": "image", "width": _TILE - 6, "height": _TILE - 6}
    x = {**_layers(names), "axis": {**_axis("layer →"), "orient": "top", "titleAnchor": "start"}}
    y = {"value": _TILE // 2}
    return {
        "width": {"step": _TILE},
        "height": _TILE,
        "mark": mark,
        "encoding": {"x": x, "y": y, "url": {"field": "png", "type": "nominal"}},
    }


def _panel(field: str, title: str, number: str, names: Sequence[str]) -> Spec:
    """One measure against the layers, each point with its value."""
    y_axis = _axis(f"↑ {title}") | {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end"}
    y_axis |= {"titleX": 0, "titleY": -10, "domain": False, "ticks": False, "gridColor": _FAINT}
    y = {"field": field, "type": "quantitative", "axis": {**y_axis, "tickCount": 4}}
    y["scale"] = {"zero": True, "nice": True}
    text = {"field": field, "type": "quantitative", "format": number}
    return {
        "width": {"step": _TILE},
        "height": 110,
        "transform": [{"filter": f"isValid(datum.{field})"}],
        "encoding": {"x": {**_layers(names), "axis": None}, "y": y},
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2, "color": _ACCENT}},
            {"mark": {"type": "point", "filled": True, "opacity": 1, "size": 50, "color": _ACCENT}},
            {
                "mark": {"type": "text", "dy": -12, "fontSize": 12, "color": _INK},
                "encoding": {"text": text},
            },
        ],
    }


def _layers(names: Sequence[str]) -> Spec:
    scale = {"type": "band", "domain": list(names), "padding": 0}
    return {"field": "layer", "type": "ordinal", "scale": scale}


def _axis(title: str) -> Spec:
    axis: Spec = {"labelColor": _INK, "titleColor": _SOFT, "titleFontWeight": 400, "labelAngle": 0}
    axis |= {"labelFontSize": 12, "titleFontSize": 12, "domain": False, "ticks": False}
    return axis | {"title": title}


def _png(image: Image) -> str:
    """A data URL of an image, which the renderer loads without a file."""
    pixels = (image[0].detach().expand(3, -1, -1).clamp(0, 1) * 255).round().byte()
    file = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(pixels.permute(1, 2, 0).cpu().numpy())).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
