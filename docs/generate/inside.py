"""The page of what a network computes inside, with pretrained and with random weights."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from generate.markup import image
from generate.photographs import PHOTOGRAPHS, Effort, jpeg, square

from imrep.weights import packages

if TYPE_CHECKING:
    from torch import Tensor

    from imrep.base import Representation

_NETWORK = "tf_efficientnet_lite0"
_SMALL = "test_resnet"  # where the package with the network's weights is not installed
_STAGES = 5
_CHANNEL = 30  # of stage 3, which answers to round things
_SIDE = 128  # px of the images that are inverted
_PATCHED = (
    "astronaut.png", "brick.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg",
    "ihc.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg",
)  # fmt: skip


@dataclass(frozen=True)
class Method:
    """A section: a method of `imrep picture` on the photographs, or a figure of its own."""

    key: str
    title: str
    layer: str
    options: str
    text: str
    photographs: tuple[str, ...] = tuple(PHOTOGRAPHS)


METHODS = (
    Method(
        "filters", "First-layer filters", "0", "--method filters",
        "Each filter in its own colours, and beside them what each gives of the image.",
        ("chelsea",),
    ),
    Method(
        "channel", "One map", "2", "--channel 11",
        "Where in the image a channel of a layer is active.",
    ),
    Method(
        "guided", "Guided backpropagation", "3",
        f"--method guided-backpropagation --channel {_CHANNEL}",
        "What in the image excites a channel where it is most active; its receptive field is "
        "outlined. `--method gradient` and `--method deconvnet` use the other two rules for "
        "rectifiers; without `--channel` all maps are carried back to pixels.",
    ),
    Method(
        "deconvnet", "Deconvnet", "0", "--method deconvnet",
        "All rectified maps of a layer carried back to pixels. The switches of max pooling are "
        "what a deconvnet knows of the image; this network has none, and deeper layers then show "
        "the grid of its strides.",
    ),
    Method(
        "grad-cam", "Class activation", "-1", "--method grad-cam",
        "What speaks for the class that the network finds most probable; `--label` takes another.",
    ),
    Method(
        "patches", "Strongest patches", "3", f"--channel {_CHANNEL}",
        "The nine patches of a folder that excite a channel most, cut to its receptive field, and "
        "what in each excites it.", ("photos",),
    ),
    Method(
        "layers", "What each layer keeps", "/".join(map(str, range(_STAGES))), "--by-layer",
        "The image reconstructed from one layer after the other, by a gradient search for an image "
        "with the layer's code. `--jitter` shifts the image at each step.", ("coffee",),
    ),
)  # fmt: skip
WEIGHTS = ("published", "random")


def spec(method: Method, weights: str) -> str:
    """The network at the method's layer; a small one at random weights without the package."""
    installed = packages.installed(_NETWORK)
    arch = _NETWORK if installed else _SMALL
    chosen = "" if weights == "published" and installed else ",weights=random"
    layer = "" if method.layer == "-1" else f",layer={method.layer}"
    return f"cnn:arch={arch}{chosen}{layer}"


def figure(method: Method, weights: str, photograph: str, effort: Effort) -> bytes:
    """The picture of one method, as a JPEG file."""
    from imrep import factory

    rep = factory.get(spec(method, weights)).eval()
    if method.key == "patches":
        return jpeg(_patches(rep, effort))
    side = _SIDE if method.key == "layers" else rep.canvas or 224
    return jpeg(_picture(rep, square(photograph, min(side, 2 * effort.side)), method, effort))


def page() -> str:
    """Every method, with pretrained weights above and random ones below."""
    lines = [_OPENING]
    for method in METHODS:
        command = "invert" if method.key == "layers" else "picture"
        source = "photos/" if method.key == "patches" else "cat.jpg"
        lines += [
            f"## {method.title}\n",
            f"{method.text}\n",
            f"```sh\nimrep {command} {source} {spec(method, 'published')} {method.options}\n```\n",
        ]
        for weights in WEIGHTS:
            lines += [f"{_HEADINGS[weights]}\n{{ .fine }}\n", _row(method, weights)]
    return "\n".join(lines)


def stem(method: Method, weights: str, photograph: str) -> str:
    """The name of a picture's file."""
    return f"inside-{method.key}-{weights}-{photograph}"


def _picture(
    rep: "Representation", photograph: "Tensor", method: Method, effort: Effort
) -> "Tensor":
    from imrep import visualisation
    from imrep.inversion import by_layer, layer_chart

    if method.key == "layers":
        results = by_layer.by_layer(rep, photograph, iterations=effort.iterations)
        return layer_chart.figure(photograph, results)
    words = method.options.split()
    options = dict(zip(words[::2], words[1::2], strict=True))
    channel = options.get("--channel")
    return visualisation.picture(
        rep,
        photograph,
        options.get("--method", "code"),
        channel=None if channel is None else int(channel),
    )


def _patches(rep: "Representation", effort: Effort) -> "Tensor":
    """Of nine photographs of scikit-image."""
    from imrep import datasets, images
    from imrep.embedding.vector_file import Settings
    from imrep.visualisation import patches

    package = find_spec("skimage")
    assert package is not None and package.origin is not None
    folder = Path(package.origin).parent / "data"
    items = datasets.find([folder / name for name in _PATCHED]).items
    size = min(rep.canvas or 224, 2 * effort.side)
    settings = Settings(size=size, threads=1, reading=rep.framed(images.DEFAULT_READING))
    return patches.sheet(patches.strongest_patches(rep, items, _CHANNEL, settings))


def _row(method: Method, weights: str) -> str:
    pictures = [
        f'<figure class="shot">{image(f"pictures/{stem(method, weights, name)}.jpg", _alt(method))}'
        "</figure>"
        for name in method.photographs
    ]
    several = ' class="shots" tabindex="0"' if len(pictures) > 1 else ""
    return "\n".join([f"<div{several}>", *pictures, "</div>\n"])


def _alt(method: Method) -> str:
    return f"{method.title} of a network"


_HEADINGS = {
    "published": "Pretrained" if packages.installed(_NETWORK) else "Random weights",
    "random": "Random weights",
}
_OPENING = """\
# Inside a network

What the layers of a convolutional network compute, on the same photographs with weights trained on
ImageNet-1k and with random ones. The same methods look into any representation through which a
gradient reaches the image.

```python
imrep.picture(image, "cnn:arch=tf_efficientnet_lite0", method="grad-cam", label="tabby")
imrep.picture("photos/", "cnn:arch=tf_efficientnet_lite0,layer=3", channel=30)
```
"""
