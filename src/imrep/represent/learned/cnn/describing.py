"""What a layer's units read and what the network costs, in words."""

import torch
from torch import nn

from imrep.networks import counting, receptive


def describe(network: nn.Module, channels: int, side: int, layers: list[str]) -> dict[str, str]:
    """Lines by their names, for each layer of a network: its map, its receptive field, the cost.

    Args:
        network: Gives the map of each layer.
        channels: Of an image.
        side: Height and width of an image in pixels.
        layers: Their names.
    """
    image = torch.zeros(1, channels, side, side)
    with torch.no_grad():
        maps = network(image)[: len(layers)]
    fields = receptive.output_fields(network, image)
    lines = {}
    for layer, features, field in zip(layers, maps, fields, strict=False):
        shape = " × ".join(map(str, features.shape[1:]))
        lines[f"layer {layer}"] = f"{shape} of an image of {side} × {side}; {_field(field)}"
    return lines | {"cost": _cost(counting.count(network, image))}


def _field(field: receptive.Field) -> str:
    if field.rows is None or field.columns is None:
        return "each number reads the whole image"
    size = f"{field.rows.size:g} × {field.columns.size:g}"
    return (
        f"receptive field {size} pixels, stride {field.rows.stride:g}, the first one centred at "
        f"pixel {field.rows.start:g}"
    )


def _cost(count: counting.Count) -> str:
    text = f"{_millions(count.total)} million multiply-accumulates an image"
    if not count.reductions:
        return text
    more = count.unreduced / count.total
    return (
        f"{text}; {_millions(count.unreduced)} million, {more:.1f} times as many, without its "
        f"1 × 1 reductions, {count.reductions} in number"
    )


def _millions(number: int) -> str:
    return f"{number / 1e6:,.0f}" if number >= 1e7 else f"{number / 1e6:.2g}"
