"""Weights of every form that CLIP is passed on in, under open_clip's names, with their sizes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imrep.errors import BadParameter, WeightsNeeded
from imrep.represent.language.clip import configuration, huggingface
from imrep.represent.language.clip.configuration import Configuration, Sizes
from imrep.represent.language.clip.tokenizer import Tokenizer
from imrep.weights import State, checkpoint, published
from imrep.weights.names import unwrap

# Beside the tensors of both towers in OpenAI's archives.
_OPENAI = ("input_resolution", "context_length", "vocab_size")
_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")  # of open_clip's folders
_CONFIG = "open_clip_config.json"
_TOWERS = ("visual", "logit_scale", "text_model", "vision_model")


@dataclass(frozen=True)
class Loaded:
    """A model's weights with all that is said beside them.

    Args:
        configuration: Of the towers and the images.
        tokenizer: Of its texts.
        state: Tensors under open_clip's names.
    """

    configuration: Configuration
    tokenizer: Tokenizer
    state: State


@dataclass(frozen=True)
class Stated:
    """What the caller says of weights, where it says anything.

    Args:
        arch: The model, for towers whose shapes do not say all.
        quickgelu: Whether they were trained with QuickGELU; None for what is said beside them.
        image_heads: Of the image tower's attention; None likewise.
        text_heads: Of the text tower's; None likewise.
        caller: The name that messages start with.
    """

    arch: str
    quickgelu: bool | None
    image_heads: int | None
    text_heads: int | None
    caller: str


def of_tag(tag: str, stated: Stated) -> Loaded:
    """Published weights: of a tag of open_clip, "" for the first of the model.

    Raises:
        WeightsNeeded: They are neither cached nor can be downloaded, or the model has none.
        BadParameter: There is no such tag of the model.
    """
    arch, caller = stated.arch, stated.caller
    own = configuration.of_arch(arch, caller)
    names = tags(arch, caller)
    if not names:
        raise WeightsNeeded(
            f"{caller} needs published weights, and there are none of {arch}. "
            "Pass weights=random or weights=FOLDER."
        )
    tag = tag or names[0]
    facts = configuration.open_clip(caller).pretrained.get_pretrained_cfg(arch, tag)
    repository, file = _hosted(str(facts.get("hf_hub") or ""))
    state = published(
        f"{arch} {tag}",
        caller,
        repository=repository,
        url=str(facts.get("url") or ""),
        files=(file,) if file else _FILES,
    )
    quick = bool(own.sizes.get("quick_gelu") or facts.get("quick_gelu"))
    if stated.quickgelu is not None:
        quick = stated.quickgelu
    sizes = with_heads(configuration.quickened(own.sizes, quick), stated)
    images = {key: facts[key] for key in ("mean", "std", "interpolation") if key in facts}
    complete = Configuration(sizes, images)
    return Loaded(complete, Tokenizer.published(sizes), _plain(state))


def tags(arch: str, caller: str) -> list[str]:
    """The names of a model's published weights in open_clip."""
    names: list[str] = configuration.open_clip(caller).list_pretrained_tags_by_model(arch)
    return names


def of_path(weights: str, stated: Stated) -> Loaded:
    """Weights of a file, a folder or an installed package.

    Raises:
        WeightsNeeded: There are none.
        BadParameter: They are no weights of two towers, or it is not said which GELU they have.
    """
    path = file_in(Path(weights))
    read = checkpoint(path, stated.caller)
    state = {key.removeprefix("network."): value for key, value in read.state.items()}
    state = unwrap(state, [key for key in state if key.startswith(_TOWERS)])
    folder = Path(weights) if Path(weights).is_dir() else None
    if huggingface.is_huggingface(state):
        own = _of_huggingface(read, huggingface.renamed(state), stated)
        state = huggingface.renamed(state)
    else:
        state = _plain(state)
        own = _of_open_clip(read.config, folder, state, stated)
    return Loaded(own, Tokenizer.beside(folder, own.sizes), state)


def configured(config: dict[str, Any]) -> Configuration | None:
    """The configuration in a config.json that `save` wrote, or None."""
    sizes, images = config.get("model_cfg"), config.get("images", {})
    if not isinstance(sizes, dict) or not isinstance(images, dict):
        return None
    return Configuration(sizes, images)


def _of_huggingface(read: Any, state: State, stated: Stated) -> Configuration:
    sizes = _inferred(state, stated)
    siglip = "map_pooled" in sizes["vision_cfg"]
    own = with_heads(huggingface.sizes(read, sizes), stated)
    if stated.quickgelu is not None:
        own = configuration.quickened(own, stated.quickgelu)
    return Configuration(own, huggingface.images(read, siglip, stated.caller))


def _of_open_clip(
    config: dict[str, Any], folder: Path | None, state: State, stated: Stated
) -> Configuration:
    saved = configured(config) or _open_clip_config(folder, stated.caller)
    openai = any(key in state for key in _OPENAI)
    for key in _OPENAI:
        state.pop(key, None)
    if saved is not None:
        quick = saved.sizes.get("quick_gelu", False)
        own, images = saved.sizes, saved.images
    else:
        quick = openai or stated.arch.endswith("-quickgelu") or None
        own, images = _inferred(state, stated), {}
        if "map_pooled" in own["vision_cfg"] or "timm_model_name" in own["vision_cfg"]:
            quick = bool(own.get("quick_gelu"))  # no GELU of OpenAI's in those families
            images = _of_first_tag(stated) if "timm_model_name" in own["vision_cfg"] else {}
            images = images or {"mean": [0.5] * 3, "std": [0.5] * 3}
    if stated.quickgelu is not None:
        quick = stated.quickgelu
    if quick is None:
        raise BadParameter(
            f"{stated.caller} needs quickgelu=true or quickgelu=false for weights that do not say "
            "it, got neither. OpenAI's and MetaCLIP's were trained with it, most others of "
            "open_clip without."
        )
    return Configuration(with_heads(configuration.quickened(own, quick), stated), images)


def _inferred(state: State, stated: Stated) -> Sizes:
    heads = {"image_heads": stated.image_heads, "text_heads": stated.text_heads}
    sizes = configuration.inferred(state, **heads)
    if sizes is not None:
        return sizes
    if any(key.startswith("visual.trunk.") for key in state):  # a network of timm, by its name
        own = configuration.of_arch(stated.arch, stated.caller).sizes
        if "timm_model_name" in own["vision_cfg"]:
            return own
        raise BadParameter(
            f"{stated.caller} needs arch to name the model of these weights, whose image tower is "
            f"a network of timm, got {stated.arch}. Try arch=MobileCLIP-S1."
        )
    raise BadParameter(
        f"{stated.caller} needs weights of an image tower and a text tower, got others: "
        f"{next(iter(state), 'nothing')!r}, …. Pass those of CLIP or SigLIP."
    )


def _of_first_tag(stated: Stated) -> dict[str, Any]:
    """How the published weights of the same model read images."""
    names = tags(stated.arch, stated.caller)
    library = configuration.open_clip(stated.caller)
    facts = library.pretrained.get_pretrained_cfg(stated.arch, names[0]) if names else {}
    return {key: facts[key] for key in ("mean", "std", "interpolation") if key in facts}


def with_heads(sizes: Sizes, stated: Stated) -> Sizes:
    """The sizes with the heads that the caller states."""
    own = {**sizes, "vision_cfg": {**sizes["vision_cfg"]}, "text_cfg": {**sizes["text_cfg"]}}
    vision = own["vision_cfg"]
    if stated.text_heads:
        own["text_cfg"]["heads"] = stated.text_heads
    if stated.image_heads and "map_pooled" in vision:
        vision["map_pooled"] = {**vision["map_pooled"], "num_heads": stated.image_heads}
    elif stated.image_heads and "width" in vision:
        ratio = 32 if isinstance(vision["layers"], list | tuple) else 1
        vision["head_width"] = vision["width"] * ratio // stated.image_heads
    return own


def _plain(state: State) -> State:
    """Without masks, which are computed; scales of one number in a vector as that number."""
    return {
        key: value.reshape(()) if key in ("logit_scale", "logit_bias") else value
        for key, value in state.items()
        if not key.endswith("attn_mask")
    }


def file_in(path: Path) -> Path:
    """The file of weights in a folder of open_clip's; any other path as it is."""
    return next((path / name for name in _FILES if (path / name).is_file()), path)


def _open_clip_config(folder: Path | None, caller: str) -> Configuration | None:
    if folder is None or not (folder / _CONFIG).is_file():
        return None
    sizes = configuration.of_arch(str(folder / _CONFIG), caller).sizes
    content = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    return Configuration(sizes, dict(content.get("preprocess_cfg") or {}))


def _hosted(hub: str) -> tuple[str, str]:
    """Repository and file of an entry of open_clip's table, which may name a folder alone."""
    owner, _, remainder = hub.strip("/").partition("/")
    name, _, file = remainder.partition("/")
    return (f"{owner}/{name}" if name else ""), file
