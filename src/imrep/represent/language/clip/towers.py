"""Both towers as modules of open_clip, and what comes out of them before and after pooling."""

from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from imrep.represent.language.clip.configuration import Configuration, open_clip

Read = tuple[Tensor, Tensor, tuple[int, int]]  # vector, patches, and their grid


class MapPooled(nn.Module):
    """SigLIP's image tower of any size: timm's vision transformer, pooled by a learned query."""

    def __init__(self, side: int, act: str, sizes: dict[str, Any]) -> None:
        super().__init__()
        from timm.models.vision_transformer import VisionTransformer

        self.trunk = VisionTransformer(
            img_size=side,
            class_token=False,
            global_pool="map",
            num_classes=0,
            act_layer=act,
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            **sizes,
        )
        self.head = nn.Identity()

    def forward(self, image: Tensor) -> Tensor:
        """The vectors of images, (batch, dim)."""
        return self.head(self.trunk(image))


class QuickGELU(nn.Module):
    """x · sigmoid(1.702 x), by which OpenAI's weights were trained, in one pass over memory."""

    def forward(self, x: Tensor) -> Tensor:
        """The activations."""
        return nn.functional.silu(x * _QUICK).div_(_QUICK)


_QUICK = 1.702


def build(configuration: Configuration, caller: str) -> Any:
    """A model of open_clip at random weights, in evaluation mode.

    Raises:
        ExtraNeeded: open_clip is not installed.
    """
    library = open_clip(caller)
    sizes = deepcopy(configuration.sizes)
    custom = sizes.pop("custom_text", False)
    own = sizes["vision_cfg"].pop("map_pooled", None)
    act = sizes["vision_cfg"].pop("act_layer", "gelu")
    if own:  # in the place of a small tower
        sizes["vision_cfg"] = {"layers": 1, "width": 8, "head_width": 8, "patch_size": 8}
    cls = library.CustomTextCLIP if custom or own else library.CLIP
    network = cls(**sizes)
    if own:
        network.visual = MapPooled(configuration.side, act, own)
    _quicken(network)
    return network.eval()


def image_vectors(visual: Any, image: Tensor) -> Tensor:
    """Vectors (batch, dim) of normalised images.

    Of a vision transformer that pools its class token, the last layer computes that token alone.
    """
    if not _pools_class_token(visual):
        # Convolutions are quicker with the channels of a pixel side by side.
        vectors: Tensor = visual(image.contiguous(memory_format=torch.channels_last))
        return vectors
    *layers, last = visual.transformer.resblocks
    x = visual._embeds(image)
    for layer in layers:
        x = _layer(layer, x, x.shape[1])
    pooled: Tensor = visual.ln_post(_layer(last, x, 1)[:, 0])
    return pooled if visual.proj is None else pooled @ visual.proj


def _layer(layer: Any, x: Tensor, count: int) -> Tensor:
    """The first `count` tokens (batch, position, width) behind a layer."""
    x, normed = x[:, :count], layer.ln_1(x)
    x = x + layer.ls_1(_attention(layer.attn, normed[:, :count], normed))
    behind: Tensor = x + layer.ls_2(layer.mlp(layer.ln_2(x)))
    return behind


def _attention(module: nn.MultiheadAttention, query: Tensor, tokens: Tensor) -> Tensor:
    """`module(query, tokens, tokens)`, which torch computes by products of transposed tokens."""
    weight, bias = module.in_proj_weight, module.in_proj_bias
    if query.shape == tokens.shape:
        parts = nn.functional.linear(tokens, weight, bias).chunk(3, 2)
    else:
        width = query.shape[2]
        projected = nn.functional.linear(tokens, weight[width:], bias[width:]).chunk(2, 2)
        parts = (nn.functional.linear(query, weight[:width], bias[:width]), *projected)
    query, key, value = (_by_head(part, module.num_heads) for part in parts)
    mixed = nn.functional.scaled_dot_product_attention(query, key, value)
    attended: Tensor = module.out_proj(mixed.transpose(1, 2).flatten(2))
    return attended


def _by_head(x: Tensor, heads: int) -> Tensor:
    """(batch, position, width) as (batch, head, position, width of a head)."""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def _pools_class_token(visual: Any) -> bool:
    """Whether it is such a transformer, of open_clip's ordinary layers."""
    from open_clip.transformer import ResidualAttentionBlock, VisionTransformer

    return (
        type(visual) is VisionTransformer
        and visual.pool_type == "tok"
        and visual.attn_pool is None
        and visual.transformer.batch_first
        and not visual.transformer.grad_checkpointing
        and not visual.output_tokens
        and all(type(each) is ResidualAttentionBlock for each in visual.transformer.resblocks)
    )


def image_features(visual: Any, image: Tensor) -> Read:
    """Vectors (batch, dim) of normalised images, and the tokens of their patches before pooling."""
    if hasattr(visual, "trunk"):
        features = visual.trunk.forward_features(image)
        vector = visual.head(visual.trunk.forward_head(features))
        return (vector, *_of_trunk(visual.trunk, features))
    if hasattr(visual, "attnpool"):
        x = visual.stem(image)
        for stage in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
            x = stage(x)
        return (visual.attnpool(x), *_of_map(x))
    x = visual.transformer(visual._embeds(image))
    pooled, tokens = visual._pool(x)
    vector = pooled if visual.proj is None else pooled @ visual.proj
    rows, columns = visual.grid_size
    if tokens.shape[1] == rows * columns + 1:
        tokens = tokens[:, 1:]
    grid = (rows, columns) if tokens.shape[1] == rows * columns else (1, tokens.shape[1])
    return vector, tokens, grid


def _of_trunk(trunk: Any, features: Tensor) -> tuple[Tensor, tuple[int, int]]:
    if features.ndim == 4:
        return _of_map(features)
    patches = features[:, getattr(trunk, "num_prefix_tokens", 0) :]
    rows, columns = trunk.patch_embed.grid_size
    return patches, (rows, columns)


def _of_map(features: Tensor) -> tuple[Tensor, tuple[int, int]]:
    return features.flatten(2).mT, (features.shape[2], features.shape[3])


def text_tokens(network: Any, ids: Tensor) -> Tensor:
    """The last layer's tokens, normalised: (batch, position, width).

    Args:
        network: The model.
        ids: (batch, position); shorter than the context where the rest is padding and the tower
            reads from left to right alone, so that nothing depends on it.
    """
    text = getattr(network, "text", network)
    dtype = text.transformer.get_cast_dtype()
    count = ids.shape[1]
    x = text.token_embedding(ids).to(dtype) + text.positional_embedding[:count].to(dtype)
    mask = text.attn_mask
    x = text.transformer(x, attn_mask=mask if mask is None else mask[:count, :count])
    tokens: Tensor = text.ln_final(x)
    return tokens


def is_causal(network: Any) -> bool:
    """Whether the text tower reads from left to right alone."""
    return getattr(network, "text", network).attn_mask is not None


def pool_type(network: Any) -> str:
    """Which position the model pools, in open_clip's words."""
    text = getattr(network, "text", network)
    return str(getattr(text, "text_pool_type", None) or text.pool_type)


def projected(network: Any, pooled: Tensor) -> Tensor:
    """Pooled text (batch, width) in the common space."""
    projection = getattr(network, "text", network).text_projection
    if projection is None:
        return pooled
    if isinstance(projection, nn.Linear):
        linear: Tensor = projection(pooled)
        return linear
    return pooled @ projection


def _quicken(network: nn.Module) -> None:
    """Replace open_clip's QuickGELU by one that reads memory less often."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child).__name__ == "QuickGELU" and not isinstance(child, QuickGELU):
                setattr(module, name, QuickGELU())


def batch_statistics(network: nn.Module, used: bool) -> None:
    """Whether batch normalisation reads the batch, as in training, or what it has learned."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.train(used)


def clamp_scale(network: Any, largest: float) -> None:
    """Limit the logarithm of the scale of the similarities, in place."""
    with torch.no_grad():
        network.logit_scale.clamp_(max=largest)
