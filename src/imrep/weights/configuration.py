"""What the configuration beside a checkpoint says: its network, and how its images are read."""

import math
from collections.abc import Callable
from typing import Any

from imrep import checks
from imrep.errors import BadParameter
from imrep.registry import specs
from imrep.weights.files import Checkpoint

Facts = dict[str, Any]  # of images, under timm's names

_RESAMPLING = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers
_CHANNELS = 3


def images(weights: Checkpoint, caller: str) -> Facts:
    """Size, crop, filter and normalisation, as far as the configuration says them.

    That of timm, of `save` or, in preprocessor_config.json, of transformers.

    Args:
        weights: With the content of the files beside them.
        caller: The name that messages start with.

    Raises:
        BadParameter: If a value cannot be one.
    """
    own = weights.config.get("pretrained_cfg")
    if not isinstance(own, dict):  # older ones of timm are not nested
        own = weights.config if "architecture" in weights.config else _of_processor(weights)
    facts = {key: own[key] for key in _READERS if own.get(key) is not None}
    for key, value in facts.items():
        form, valid = _READERS[key]
        if not valid(value):
            raise BadParameter(
                f"{caller} needs the configuration beside {weights.name} to give {key} as {form}, "
                f"got {value!r}. Correct it, or remove it."
            )
    return facts


def architecture(config: dict[str, Any]) -> str:
    """The network that a config.json names, or nothing."""
    if "spec" not in config:
        named = config.get("architecture", "")
        return named if isinstance(named, str) else ""
    views = specs.parse(str(config["spec"]))
    return views[0][1].get("arch", "") if len(views) == 1 else ""


def _of_processor(weights: Checkpoint) -> Facts:
    """The settings of transformers' image processors under timm's names."""
    own, facts = weights.processor, Facts()
    side, resized = _square_side(own.get("size")), _shortest(own.get("size"))
    if own.get("do_center_crop", "crop_size" in own) and (
        crop := _square_side(own.get("crop_size"))
    ):
        facts |= {"input_size": [_CHANNELS, crop, crop]}
        if resized or side:
            facts |= {"crop_pct": min(1.0, crop / (resized or side))}
    elif side or resized:
        facts |= {"input_size": [_CHANNELS, side or resized, side or resized], "crop_pct": 1.0}
    if own.get("do_normalize", True):
        facts |= {"mean": own.get("image_mean"), "std": own.get("image_std")}
    elif own:
        facts |= {"mean": [0.0] * _CHANNELS, "std": [1.0] * _CHANNELS}
    if own.get("resample") in _RESAMPLING:
        facts |= {"interpolation": _RESAMPLING[own["resample"]]}
    return facts


def _square_side(size: Any) -> int:
    """The side of a square; 0 where it is none."""
    if isinstance(size, dict):
        size = size.get("height") if size.get("height") == size.get("width") else 0
    return size if _is_side(size) else 0


def _shortest(size: Any) -> int:
    """The short side to which images are resized; 0 where it is not said."""
    edge = size.get("shortest_edge") if isinstance(size, dict) else 0
    return edge if isinstance(edge, int) and _is_side(edge) else 0


def _is_side(value: Any) -> bool:
    integral = isinstance(value, int) and not isinstance(value, bool)
    return integral and 1 <= value <= checks.MAX_SIDE


def _is_size(value: Any) -> bool:
    three = isinstance(value, list | tuple) and len(value) == _CHANNELS
    return three and value[0] == _CHANNELS and value[1] == value[2] and _is_side(value[1])


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _are_numbers(value: Any) -> bool:
    three = isinstance(value, list | tuple) and len(value) == _CHANNELS
    return three and all(map(_is_number, value))


_READERS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "input_size": ("[3, side, side]", _is_size),
    "mean": ("three numbers", _are_numbers),
    "std": ("three numbers above 0", lambda v: _are_numbers(v) and all(x > 0 for x in v)),
    "crop_pct": ("a number above 0 up to 1", lambda v: _is_number(v) and 0 < v <= 1),
    "interpolation": ("a filter's name", lambda v: isinstance(v, str)),
}
