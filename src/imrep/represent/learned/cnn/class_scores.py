"""The classes of a network: their scores, in one graph with a layer's maps, and their names."""

from dataclasses import replace
from typing import Any

from torch import Tensor

from imrep import networks
from imrep.codes import Map
from imrep.errors import BadParameter
from imrep.networks import layers
from imrep.types import Image

_IMAGENET = 1000  # classes


def scores(cnn: Any, image: Image) -> tuple[Tensor, Tensor]:
    """The maps (b, c, h, w) of a network's layer, and the scores (b, n) that depend on them.

    They are those of the classifier that imrep trained, or else of the one that the weights hold.

    Raises:
        BadParameter: If there are several layers, or the layer gives no maps.
    """
    x = cnn.normalised(image)
    name = str(cnn.layer)
    request = networks.Request(cnn.arch, cnn.weights, cnn.layer, cnn.side, "mean", cnn.name)
    single = _single(request)
    if cnn.classifier is not None:
        values = cnn.network(x)[0]
        vector = cnn.pool(Map(values, (image.shape[2], image.shape[3])))
        return _checked(values, name, request), cnn.classifier.linear(vector)
    name = _module_name(single, request)
    outputs, logits = layers.gather(cnn.complete(), x, [name])
    return _checked(outputs[name], name, request), logits


def names(cnn: Any, count: int) -> tuple[str, ...]:
    """The names of the 1,000 classes of ImageNet-1k, for published weights; else none."""
    if count != _IMAGENET or cnn.weights != "published" or cnn.classifier is not None:
        return ()
    from timm.data.imagenet_info import ImageNetInfo

    classes = ImageNetInfo("imagenet-1k")
    return tuple(classes.index_to_description(i) for i in range(count))


def _checked(values: object, name: str, request: networks.Request) -> Tensor:
    """Refuse what is no map of several positions."""
    if isinstance(values, Tensor) and values.ndim == 4 and values.shape[2:].numel() > 1:
        return values
    shape = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
    raise BadParameter(
        f"{request.caller} needs a layer of maps (batch, channel, rows, columns) for grad-cam, "
        f"got {shape} of {request.arch} at {name}. Use layer=-1."
    )


def _single(request: networks.Request) -> int | str:
    """The one layer that is requested."""
    parsed = layers.parse(request.layer, request.caller)
    if len(parsed) > 1 or parsed[0] == layers.PENULTIMATE:
        raise BadParameter(
            f"{request.caller} needs one layer of maps for grad-cam, got layer={request.layer}. "
            "Use layer=-1."
        )
    return parsed[0]


def _module_name(layer: int | str, request: networks.Request) -> str:
    """The module of a layer, as the complete network names it."""
    if isinstance(layer, str):
        return layer
    both = f"{layer}/{layers.PENULTIMATE}"  # which are named, where a stage alone is not
    named = networks.build(replace(request, layer=both)).network
    assert isinstance(named, layers.Layers)
    return named.names[0]
