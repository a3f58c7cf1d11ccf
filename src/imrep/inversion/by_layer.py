"""What each layer of a network keeps: the image inverted from one layer after the other.

References:
    A. Mahendran and A. Vedaldi, "Understanding deep image representations by inverting them", CVPR
    2015. doi:10.1109/CVPR.2015.7299155
"""

from dataclasses import dataclass

from imrep import inversion
from imrep.base import Representation
from imrep.errors import BadParameter
from imrep.inversion import Inversion
from imrep.ops.solvers import Watch
from imrep.types import Image

_JOINT = "/"  # between the layers of a spec


@dataclass(frozen=True)
class LayerInversion:
    """The image inverted from one layer.

    Args:
        layer: As the spec names it.
        inversion: From its code alone.
    """

    layer: str
    inversion: Inversion


def by_layer(
    rep: Representation,
    image: Image,
    *,
    iterations: int | None = None,
    seed: int = 0,
    jitter: int = 0,
    watch: Watch | None = None,
) -> list[LayerInversion]:
    """The image inverted from each layer alone, in the order of the spec.

    Args:
        rep: Of several layers, such as cnn:layer=0/1/2.
        image: One image, (1, 1|3, height, width).
        iterations: Maximal steps of each search.
        seed: Of the noise that every search starts from.
        jitter: Maximal shift of the image at each step, in pixels.
        watch: Called with the number of steps of all layers together, and the loss.

    Raises:
        BadParameter: If the representation has no layers, or one alone.
        BadImage: If there is more than one image.
    """
    steps = iterations or inversion.ITERATIONS
    results: list[LayerInversion] = []

    def total(done: int, loss: float) -> None:
        if watch is not None:
            watch(len(results) * steps + done, loss)

    for layer in layers(rep):
        single = _of_layer(rep, layer)
        result = inversion.invert(
            single, image, iterations=iterations, seed=seed, jitter=jitter, watch=total
        )
        results.append(LayerInversion(layer, result))
    return results


def layers(rep: Representation) -> list[str]:
    """The layers that a representation's spec names.

    Raises:
        BadParameter: If it has no layers, or one alone.
    """
    layer = rep.get_params(deep=False).get("layer")
    names = [name.strip() for name in str(layer).split(_JOINT)]
    if layer is None or len(names) < 2:
        raise BadParameter(
            f"invert needs several layers to compare, got {rep.spec}. Join them by slashes, as in "
            "cnn:arch=tf_efficientnet_lite0,layer=0/1/2."
        )
    return names


def _of_layer(rep: Representation, layer: str) -> Representation:
    """The same network, read at one layer alone."""
    number = layer.lstrip("+-").isdigit()
    params = {**rep.get_params(), "layer": int(layer) if number else layer}
    like = next(rep.parameters(), None)
    single = type(rep)(**params).eval()
    return single if like is None else single.to(like.device)
