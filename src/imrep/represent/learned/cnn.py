"""Convolutional networks: whatever timm and torchvision offer, and LeNet-5."""

import difflib
import json
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from imrep import check, specs
from imrep.base import Representation
from imrep.cards import Card
from imrep.codes import Map
from imrep.drawing import draw
from imrep.errors import BadImage, BadParameter
from imrep.ops.colour import luminance
from imrep.ops.resize import square
from imrep.types import Image, Picture, Vectors
from imrep.weights import State, digest, published, read, seeded

_LENET = "lenet5"
_LENET_SIDE = 32
_NAMED = ("published", "random")
_HEADS = ("avgpool", "dropout", "fc", "classifier")  # where torchvision's networks stop being maps
_TRANSFORMERS = ("vit_", "swin", "maxvit")


class Cnn(Representation[Map]):
    """Feature maps of a convolutional network, by the name timm or torchvision know it by.

    The network reads the image at the size that came, normalised as its authors did; `layer`
    chooses one of its stages, that is the last map of each size, and the vector is that map's mean.
    Batch normalisation always uses its stored statistics, and no weight has a gradient: this
    represents images, it does not train.

    Published weights come from the caches of the libraries that host them and are fetched only
    within `imrep.weights.allow_download()`, which is `--download`. Random weights are the same each
    time; they show what the architecture alone is good for, and every table says so. `lenet5` is
    LeCun's network for digits with its third layer fully connected (61,706 parameters): it reads
    gray images of 32 × 32, so others are brought to that size; nobody hosts weights for it.

    Args:
        arch: A network in timm, with or without its tag, or else in torchvision; or lenet5.
        weights: "published", "random", or the path of a folder that `save` wrote or of a file with
            a state dict (.safetensors, .pt).
        layer: Stage of the network, from 0 for the finest or from -1 for the last.

    References:
        K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", CVPR
        2016. doi:10.1109/CVPR.2016.90

        Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
        recognition", Proc. IEEE 86(11), 1998. doi:10.1109/5.726791

    Example:
        >>> import torch, imrep
        >>> lenet = imrep.get("cnn:arch=lenet5,weights=random")
        >>> lenet.embed(torch.rand(2, 3, 28, 28)).shape
        torch.Size([2, 120])
    """

    card = Card(
        title="Convolutional network",
        family="learned",
        cite="He et al. 2016, doi:10.1109/CVPR.2016.90",
        dtype="float32",
        weights="required",
    )
    example = "cnn:arch=test_resnet,weights=random"

    def __init__(
        self, *, arch: str = "resnet50.a1_in1k", weights: str = "published", layer: int = -1
    ) -> None:
        super().__init__()
        self.arch, self.weights, self.layer = arch, weights, layer
        made = _build(arch, weights, layer, self.name)
        self.network = made.network.eval().requires_grad_(False)
        self.network = self.network.to(memory_format=torch.channels_last)
        self._mean, self._std, self._side = made.mean, made.std, made.side
        self._settle()

    def _settle(self) -> None:
        """Weights that were learned on images of one size get images of that size."""
        fits_all = self.weights == "random" and self.arch != _LENET
        self.canvas = None if fits_all else self._side

    def encode(self, image: Image) -> Map:
        """The stage's map, (batch, channel, height / stride, width / stride)."""
        check.image(image, self.name)
        size = (image.shape[2], image.shape[3])
        x = image.float()
        lenet = self.arch == _LENET
        x = square(luminance(x), self._side) if lenet else x.expand(-1, 3, -1, -1)
        mean, std = (x.new_tensor(v)[:, None, None] for v in (self._mean, self._std))
        return Map(self._stage((x - mean) / std, size), size)

    def pool(self, code: Map) -> Vectors:
        """The map's mean."""
        return code.values.mean((2, 3))

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """The 64 maps that vary most, strongest first."""
        values = code.values.detach()
        spread = values.flatten(2).std(2, correction=0).mean(0)
        liveliest = values[:, spread.argsort(descending=True)[:64]]
        return draw(replace(code, values=liveliest, signed=bool((liveliest < 0).any())))

    def train(self, mode: bool = True) -> "Cnn":
        """Stay in evaluation mode: a vector must not depend on the batch it came in."""
        return super().train(False)

    def load_weights(self, folder: str | Path) -> "Cnn":
        """Load what `save` wrote, and take on the name its weights went by."""
        super().load_weights(folder)
        config = Path(folder) / "config.json"
        saved = json.loads(config.read_text())["fingerprint"] if config.is_file() else ""
        for name in (*_NAMED, self._digest()):
            self.weights = name
            if self.fingerprint == saved:
                break
        self._settle()
        return self

    def _stage(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        if torch.compiler.is_compiling():
            return self.network(x)[0]
        try:
            return self.network(x.contiguous(memory_format=torch.channels_last))[0]
        except RuntimeError as error:
            if min(size) >= 256:  # no network here halves an image eight times
                raise
            raise BadImage(
                f"{self.name} needs larger images for {self.arch}, got {size[0]}×{size[1]}. "
                "Enlarge them first."
            ) from error

    def _written(self) -> dict[str, Any]:
        known = self.weights in _NAMED
        return {**self.get_params(), "weights": self.weights if known else self._digest()}

    def _blank_spec(self) -> str:
        return specs.write(self.name, {**self.get_params(), "weights": "random"})

    def _digest(self) -> str:
        return digest(self.network.state_dict())


@dataclass(frozen=True)
class _Made:
    """A network that gives a list of one map, and how it wants its images."""

    network: nn.Module
    side: int
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)  # of ImageNet, as nearly all were trained
    std: tuple[float, ...] = (0.229, 0.224, 0.225)


class _Stages(nn.Module):
    """Blocks of a network one after the other; the last map of each size is a stage."""

    def __init__(self, whole: nn.Module, path: tuple[str, ...], layer: int) -> None:
        super().__init__()
        self.whole, self.path, self.layer = whole, path, layer

    def stages(self, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = []
        for name in self.path:
            x = self.whole.get_submodule(name)(x)
            if maps and x.shape[2:] == maps[-1].shape[2:]:
                maps.pop()
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.stages(x)[self.layer]]


def _build(arch: str, weights: str, layer: int, who: str) -> _Made:
    if arch == _LENET:
        return _lenet(weights, layer, who)
    import timm
    import torchvision

    if timm.is_model(arch):
        return _timm(arch, weights, layer, who)
    others = [
        name
        for name in torchvision.models.list_models(module=torchvision.models)
        if not name.startswith(_TRANSFORMERS)
    ]
    if arch in others:
        return _torchvision(arch, weights, layer, who)
    near = difflib.get_close_matches(arch, [*timm.list_models(), *others, _LENET], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else " timm.list_models() shows its own."
    raise BadParameter(
        f"{who} needs arch to be a network of timm or torchvision, got {arch!r}.{hint}"
    )


def _timm(arch: str, weights: str, layer: int, who: str) -> _Made:
    """A network of timm, cut off after the stage; timm fits published names to it."""
    import timm

    try:
        facts = timm.get_pretrained_cfg(arch)
    except RuntimeError as error:  # which names the tag
        reason = f"got {arch!r}: {error} Leave the tag out for its first."
        raise BadParameter(f"{who} needs arch to be a network of timm, {reason}") from error
    assert facts is not None  # since is_model(arch)
    given: dict[str, Any] = {"features_only": True, "out_indices": (layer,)}
    state = _learned(arch, weights, who, repository=facts.hf_hub_id or "", url=str(facts.url or ""))
    try:
        network = _awake(seeded(lambda: timm.create_model(arch, pretrained=False, **given)))
    except (AssertionError, IndexError, ValueError, RuntimeError) as error:
        raise _no_stage(arch, layer, who) from error
    if state and not network.state_dict().keys() <= state.keys():
        given["pretrained_cfg_overlay"] = {"state_dict": state}
        try:
            network = timm.create_model(arch, pretrained=True, **given)
        except (RuntimeError, KeyError, ValueError) as error:
            raise _misfit(arch, error, who) from error
    elif state:
        _fill(network, state, arch, who)
    return _Made(network, facts.input_size[-1], tuple(facts.mean), tuple(facts.std))


def _awake(network: nn.Module) -> nn.Module:
    """Residual branches that timm multiplies by zero before training, by one: else none speaks."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine and not module.weight.any():
            nn.init.ones_(module.weight)
    return network


def _torchvision(arch: str, weights: str, layer: int, who: str) -> _Made:
    """A network of torchvision without its head."""
    from torchvision import models

    # GoogLeNet is without its two side heads, which only training uses.
    extra = {"aux_logits": False, "init_weights": False} if arch == "googlenet" else {}
    whole = seeded(lambda: models.get_model(arch, weights=None, **extra))
    names = [name for name, _ in whole.named_children()]
    for name in names:
        if name in _HEADS:
            setattr(whole, name, nn.Identity())
    path = tuple(part for name in names if name not in _HEADS for part in _parts(whole, name))
    network = _Stages(whole, path, layer).eval()
    _check_stage(network, torch.zeros(1, 3, 96, 96), arch, who)
    best = models.get_model_weights(arch).DEFAULT
    if state := _learned(arch, weights, who, url=best.url):
        _fill(whole, state, arch, who)
    side = best.transforms().crop_size[0]
    if arch == "googlenet" and weights != "random":
        return _Made(network, side, (0.5,) * 3, (0.5,) * 3)  # what its transform_input comes to
    return _Made(network, side)


def _lenet(weights: str, layer: int, who: str) -> _Made:
    """LeCun et al.'s figure 2: squashed by tanh, averaged by 2. F6 and the output wait unused."""

    def build() -> nn.Sequential:
        return nn.Sequential(
            OrderedDict(
                c1=nn.Sequential(nn.Conv2d(1, 6, 5), nn.Tanh()),
                s2=nn.AvgPool2d(2),
                c3=nn.Sequential(nn.Conv2d(6, 16, 5), nn.Tanh()),
                s4=nn.AvgPool2d(2),
                c5=nn.Sequential(nn.Conv2d(16, 120, 5), nn.Tanh()),
                f6=nn.Linear(120, 84),
                output=nn.Linear(84, 10),
            )
        )

    whole = seeded(build)
    network = _Stages(whole, ("c1", "s2", "c3", "s4", "c5"), layer)
    _check_stage(network, torch.zeros(1, 1, _LENET_SIDE, _LENET_SIDE), _LENET, who)
    if state := _learned(_LENET, weights, who):
        _fill(whole, state, _LENET, who)
    return _Made(network, _LENET_SIDE, (0.5,), (0.5,))


def _parts(whole: nn.Module, name: str) -> list[str]:
    """A child, or its own children where it is a sequence."""
    child = whole.get_submodule(name)
    inner = [f"{name}.{part}" for part, _ in child.named_children()]
    return inner if isinstance(child, nn.Sequential) else [name]


def _learned(arch: str, weights: str, who: str, *, repository: str = "", url: str = "") -> State:
    """Nothing for random weights; without the prefix that `save` puts before a network's names."""
    if weights == "random":
        return {}
    if weights == "published":
        return published(arch, who, repository=repository, url=url)
    state = read(weights, who)
    for prefix in ("network.whole.", "network."):
        if all(key.startswith(prefix) for key in state):
            return {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _fill(network: nn.Module, state: State, arch: str, who: str) -> None:
    """Load what the network has; a head that it was built without may be left over."""
    try:
        missing = network.load_state_dict(state, strict=False).missing_keys
    except RuntimeError as error:
        raise _misfit(arch, error, who) from error
    if missing:
        raise _misfit(arch, KeyError(missing[0]), who)


def _check_stage(network: _Stages, image: Tensor, arch: str, who: str) -> None:
    with torch.no_grad():
        count = len(network.stages(image))
    if not -count <= network.layer < count:
        raise _no_stage(arch, network.layer, who, f" from {-count} to {count - 1}")


def _no_stage(arch: str, layer: int, who: str, choices: str = "") -> BadParameter:
    return BadParameter(f"{who} needs layer to be a stage of {arch}{choices}, got {layer}. Try -1.")


def _misfit(arch: str, error: Exception, who: str) -> BadParameter:
    reason = " ".join(str(error).split())[:200]
    return BadParameter(f"{who} needs weights of {arch}, got others: {reason}")
