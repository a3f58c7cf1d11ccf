"""Channels of colour spaces, each scaled to [0, 1], and their colours in RGB."""

import cv2
import numpy as np
import torch
from torch import Tensor

from imrep.ops.colour import from_ycbcr, luminance, to_lab, to_ycbcr

SPACES = ("rgb", "hsv", "lab", "ycbcr", "gray")


def channels(image: Tensor, space: str) -> Tensor:
    """Channels of a colour space, each in [0, 1]: (b, 3, h, w), or one for gray."""
    image = image.expand(-1, 3, -1, -1)
    if space == "ycbcr":
        return to_ycbcr(image) + image.new_tensor((0, 0.5, 0.5)).view(3, 1, 1)
    if space == "gray":
        return luminance(image)
    return {"rgb": lambda x: x, "hsv": _hsv, "lab": _lab}[space](image)


def _hsv(rgb: Tensor) -> Tensor:
    """Hue in [0, 1), saturation and value; gray has hue 0, black saturation 0."""
    red, green, blue = rgb.unbind(1)
    value = rgb.amax(1)
    chroma = value - rgb.amin(1)
    gray = chroma == 0
    divisor = torch.where(gray, 1.0, chroma)
    sixth = torch.where(
        value == red,
        (green - blue) / divisor,
        torch.where(value == green, 2 + (blue - red) / divisor, 4 + (red - green) / divisor),
    )
    saturation = chroma / torch.where(value > 0, value, 1.0)
    return torch.stack([torch.where(gray, 0.0, sixth / 6) % 1, saturation, value], dim=1)


def _lab(rgb: Tensor) -> Tensor:
    """CIE L*a*b* of sRGB: L / 100, and a and b mapped from ±110 to [0, 1]."""
    return to_lab(rgb) + rgb.new_tensor((0, 0.5, 0.5)).view(3, 1, 1)


def to_rgb(colours: np.ndarray, space: str) -> np.ndarray:
    """RGB of colours (n, 3) in the scale of `channels`, for pictures: OpenCV's float32."""
    if space == "rgb":
        return colours
    if space == "ycbcr":
        planes = torch.from_numpy(colours - np.array((0, 0.5, 0.5))).T[None, :, None]
        return from_ycbcr(planes)[0, :, 0].T.clamp(0, 1).numpy()
    scale, shift, code = {
        "hsv": ((360, 1, 1), (0, 0, 0), cv2.COLOR_HSV2RGB),
        "lab": ((100, 220, 220), (0, 110, 110), cv2.COLOR_Lab2RGB),
    }[space]
    row = (colours * np.array(scale) - np.array(shift)).astype(np.float32)[None]
    return cv2.cvtColor(row, code)[0].astype(np.float64).clip(0, 1)
