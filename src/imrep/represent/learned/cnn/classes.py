"""The classes of a network: their scores, in one graph with a layer's maps, and their names."""

from dataclasses import replace

from torch import Tensor, nn

from imrep import networks
from imrep.errors import BadParameter
from imrep.networks import layers

_IMAGENET = 1000  # classes


def class_scores(network: nn.Module, x: Tensor, request: networks.Request) -> tuple[Tensor, Tensor]:
    """The maps (b, c, h, w) of the requested layer, and the scores (b, n) that depend on them.

    Args:
        network: The complete network.
        x: What it reads.
        request: Of one layer.

    Raises:
        BadParameter: If there are several layers, or the layer gives no maps.
    """
    name = module_name(request)
    outputs, scores = layers.gather(network, x, [name])
    values = outputs[name]
    if (
        not isinstance(values, Tensor)
        or values.ndim != 4
        or 1 == values.shape[2] == values.shape[3]
    ):
        shape = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise BadParameter(
            f"{request.caller} needs a layer of maps (batch, channel, rows, columns) for grad-cam, "
            f"got {shape} of {request.arch} at {name}. Use layer=-1."
        )
    return values, scores


def module_name(request: networks.Request) -> str:
    """The module of the one requested layer, as the complete network names it.

    Raises:
        BadParameter: If there are several layers, or the layer is no module.
    """
    parsed = layers.parse(request.layer, request.caller)
    if len(parsed) > 1 or parsed[0] == layers.PENULTIMATE:
        raise BadParameter(
            f"{request.caller} needs one layer of maps for grad-cam, got layer={request.layer}. "
            "Use layer=-1."
        )
    if isinstance(parsed[0], str):
        return parsed[0]
    both = f"{parsed[0]}/{layers.PENULTIMATE}"  # which are named, where a stage alone is not
    named = networks.build(replace(request, layer=both, pooling="mean")).network
    assert isinstance(named, layers.Layers)
    return named.names[0]


def imagenet_names(count: int) -> tuple[str, ...]:
    """The names of the 1,000 classes of ImageNet-1k; none for another number of classes."""
    if count != _IMAGENET:
        return ()
    from timm.data.imagenet_info import ImageNetInfo

    classes = ImageNetInfo("imagenet-1k")
    return tuple(classes.index_to_description(i) for i in range(count))
