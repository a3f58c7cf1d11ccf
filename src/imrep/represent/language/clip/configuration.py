"""The sizes of both towers, as open_clip writes them, by a model's name or from its weights."""

import difflib
import json
import math
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from imrep.errors import BadParameter, ExtraNeeded
from imrep.weights import State

Sizes = dict[str, Any]  # of open_clip's model_cfg

# Without published weights, for training from scratch and for tests.
SMALL: dict[str, Sizes] = {
    "tiny": {
        "embed_dim": 32,
        "vision_cfg": {
            "image_size": 32, "layers": 2, "width": 64, "head_width": 16, "patch_size": 8,
        },
        "text_cfg": {"context_length": 77, "width": 32, "heads": 2, "layers": 2},
    },
    "small": {
        "embed_dim": 128,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 64, "timm_model_name": "test_resnet", "timm_pool": "avg",
            "timm_proj": "linear",
        },
        "text_cfg": {"context_length": 77, "width": 96, "heads": 4, "layers": 2},
    },
}  # fmt: skip
_HEAD = 64  # numbers of an attention head, where nothing says otherwise
# Heads of towers of these widths, where they are of other than 64 numbers.
_IMAGE_HEADS = {1152: 16, 1280: 16, 1408: 16, 1536: 16, 1664: 16}
_TEXT_HEADS = {1152: 16}
_POOLED = 32  # side of the last map of a ModifiedResNet is that of the image over this
_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_BLOCK = re.compile(r"(?:^|\.)(?:resblocks|blocks)\.(\d+)\.")


@dataclass(frozen=True)
class Configuration:
    """A model of two towers and how its images are read.

    Args:
        sizes: open_clip's model_cfg; `quick_gelu` in it says which GELU the towers have.
        images: Mean, standard deviation and filter, under timm's names.
    """

    sizes: Sizes
    images: dict[str, Any] = field(default_factory=dict)

    @property
    def side(self) -> int:
        """Of the images, in pixels."""
        side = self.sizes["vision_cfg"].get("image_size", 224)
        return int(side[0] if isinstance(side, list | tuple) else side)

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each channel."""
        return tuple(self.images.get("mean") or _MEAN)

    @property
    def std(self) -> tuple[float, ...]:
        """Of each channel."""
        return tuple(self.images.get("std") or _STD)

    @property
    def resampling(self) -> str:
        """The filter by which images are resized."""
        return str(self.images.get("interpolation") or "bicubic")

    @property
    def text(self) -> Sizes:
        """Those of the text tower."""
        own: Sizes = self.sizes["text_cfg"]
        return own

    @property
    def key(self) -> str:
        """All of it as text, for digests."""
        return json.dumps([self.sizes, self.mean, self.std], sort_keys=True)


def open_clip(caller: str) -> Any:
    """The library.

    Raises:
        ExtraNeeded: It is not installed.
    """
    try:
        import open_clip as library
    except ImportError as error:
        raise ExtraNeeded(
            f"{caller} needs the package open_clip. Try: pip install 'imrep[clip]'"
        ) from error
    return library


def of_arch(arch: str, caller: str) -> Configuration:
    """The configuration of a model's name, or of a file of open_clip's form.

    Raises:
        BadParameter: There is no such model; the message offers the nearest name. Or it is one
            that imrep cannot build.
        ExtraNeeded: open_clip is not installed.
    """
    if arch in SMALL:
        return Configuration(deepcopy(SMALL[arch]))
    if arch.endswith(".json"):
        return Configuration(_checked(_of_file(Path(arch), caller), arch, caller))
    library = open_clip(caller)
    sizes = library.get_model_config(arch)
    if sizes is None:
        names = [*SMALL, *library.list_models()]
        nearest = difflib.get_close_matches(arch, names, n=1)
        hint = f"Did you mean {nearest[0]!r}?" if nearest else "Try ViT-B-32."
        raise BadParameter(
            f"{caller} needs arch to be a model of open_clip, tiny, small or a .json file of "
            f"open_clip's form, got {arch!r}. {hint}"
        )
    return Configuration(_checked(sizes, arch, caller))


def _of_file(path: Path, caller: str) -> Sizes:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        sizes: Sizes = content.get("model_cfg", content)
        int(sizes["embed_dim"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise BadParameter(
            f"{caller} needs a model_cfg of open_clip with embed_dim, vision_cfg and text_cfg in "
            f"{path.name}, got none: {reason}."
        ) from error
    return sizes


def _checked(sizes: Sizes, arch: str, caller: str) -> Sizes:
    """Refuse what is no pair of towers that imrep builds."""
    text, vision = sizes.get("text_cfg"), sizes.get("vision_cfg")
    if not isinstance(text, dict) or not isinstance(vision, dict):
        raise BadParameter(f"{caller} needs vision_cfg and text_cfg of {arch}, got neither.")
    reason = "a text tower of transformers" if text.get("hf_model_name") else ""
    reason = "a decoder" if "multimodal_cfg" in sizes else reason
    if reason:
        raise BadParameter(f"{caller} cannot build {arch}: it has {reason}. Try arch=ViT-B-32.")
    return deepcopy(sizes)


def quickened(sizes: Sizes, quick: bool) -> Sizes:
    """The same with QuickGELU in both towers, or with the exact one."""
    return {**sizes, "quick_gelu": True} if quick else _without(sizes, "quick_gelu")


def inferred(state: State, *, image_heads: int | None, text_heads: int | None) -> Sizes | None:
    """The sizes that the shapes of weights say, or None where they are no towers of that kind.

    Args:
        state: Under open_clip's names.
        image_heads: Of the image tower's attention, which shapes do not say; None for one to each
            64 numbers.
        text_heads: Of the text tower's; likewise.
    """
    prefix = "text." if "text.token_embedding.weight" in state else ""
    needed = (f"{prefix}token_embedding.weight", f"{prefix}positional_embedding")
    if not all(key in state for key in needed):
        return None
    vision = _vision(state, image_heads)
    if vision is None:
        return None
    text = _text(state, prefix, text_heads)
    projection = state.get(f"{prefix}text_projection")
    if projection is None:
        projection = state.get(f"{prefix}text_projection.weight", state[needed[0]][:1].mT).mT
    sizes: Sizes = {"embed_dim": projection.shape[1], "vision_cfg": vision, "text_cfg": text}
    if prefix:
        sizes["custom_text"] = True
    if "logit_bias" in state:
        sizes["init_logit_bias"] = -10
    return sizes


def _text(state: State, prefix: str, heads: int | None) -> Sizes:
    vocabulary, width = state[f"{prefix}token_embedding.weight"].shape
    own = {key.removeprefix(prefix): value for key, value in state.items() if _of(key, prefix)}
    text: Sizes = {
        "context_length": own["positional_embedding"].shape[0],
        "vocab_size": vocabulary,
        "width": width,
        "heads": heads or _TEXT_HEADS.get(width) or max(1, width // _HEAD),
        "layers": _blocks(own, "transformer."),
        "mlp_ratio": _ratio(own, "transformer.resblocks.0.mlp.c_fc.weight", width),
    }
    if "text_projection.bias" in own:  # SigLIP's, which reads in both directions
        text |= {"no_causal_mask": True, "proj_bias": True, "pool_type": "last"}
        text |= {"norm_kwargs": {"eps": 1e-6}}
    return text


def _of(key: str, prefix: str) -> bool:
    return key.startswith(prefix) if prefix else not key.startswith("visual.")


def _vision(state: State, heads: int | None) -> Sizes | None:
    if "visual.attnpool.positional_embedding" in state:
        return _resnet(state, heads)
    if "visual.trunk.attn_pool.latent" in state:
        return {"map_pooled": _map_pooled(state, heads), "image_size": _trunk_side(state)}
    if "visual.conv1.weight" not in state or "visual.class_embedding" not in state:
        return None
    width, _, patch, _ = state["visual.conv1.weight"].shape
    count = heads or _heads(width)
    return {
        "image_size": patch * _root(state["visual.positional_embedding"].shape[0] - 1),
        "layers": _blocks(state, "visual.transformer."),
        "width": width,
        "head_width": width // count,
        "patch_size": patch,
        "mlp_ratio": _ratio(state, "visual.transformer.resblocks.0.mlp.c_fc.weight", width),
    }


def _resnet(state: State, heads: int | None) -> Sizes:
    width = state["visual.layer1.0.conv1.weight"].shape[0]  # that of conv1 is half of it
    sides = _root(state["visual.attnpool.positional_embedding"].shape[0] - 1)
    layers = [
        len({key.split(".")[2] for key in state if key.startswith(f"visual.layer{stage}.")})
        for stage in range(1, 5)
    ]
    return {
        "image_size": _POOLED * sides,
        "layers": layers,
        "width": width,
        "head_width": width * 32 // (heads or width * 32 // _HEAD),
        "patch_size": None,
    }


def _map_pooled(state: State, heads: int | None) -> Sizes:
    """SigLIP's image tower: a transformer of timm that pools by attention."""
    width, _, patch, _ = state["visual.trunk.patch_embed.proj.weight"].shape
    return {
        "embed_dim": width,
        "patch_size": patch,
        "depth": _blocks(state, "visual.trunk."),
        "num_heads": heads or _heads(width),
        "mlp_ratio": _ratio(state, "visual.trunk.blocks.0.mlp.fc1.weight", width),
    }


def _trunk_side(state: State) -> int:
    patch = state["visual.trunk.patch_embed.proj.weight"].shape[-1]
    return patch * _root(state["visual.trunk.pos_embed"].shape[1])


def _heads(width: int) -> int:
    """Of an image tower."""
    return _IMAGE_HEADS.get(width) or max(1, width // _HEAD)


def _blocks(state: Mapping[str, Tensor], prefix: str) -> int:
    own = (key.removeprefix(prefix) for key in state if key.startswith(prefix))
    return len({match[1] for match in map(_BLOCK.search, own) if match})


def _ratio(state: Mapping[str, Tensor], key: str, width: int) -> float:
    # Half a number more, since open_clip rounds the product down.
    return (state[key].shape[0] + 0.5) / width if key in state else 4.0


def _root(count: int) -> int:
    return math.isqrt(max(count, 1))


def _without(sizes: Sizes, key: str) -> Sizes:
    return {name: value for name, value in sizes.items() if name != key}
