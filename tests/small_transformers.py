"""timm's transformers with few narrow blocks, for tests of the code that builds the large ones."""

import contextlib
from unittest import mock

import torch

# One architecture of each kind: class token, registers, attention pooling, rotary positions, ...
SIDES = {
    "test_vit": 64,
    "test_vit2": 64,
    "test_vit3": 64,
    "vit_small_patch14_dinov2": 56,
    "vit_small_patch14_reg4_dinov2": 56,
    "vit_small_patch16_dinov3": 64,
    "vit_base_patch16_siglip_224": 64,
    "vit_base_patch16_clip_224": 64,
    "deit_tiny_distilled_patch16_224": 64,
    "deit3_small_patch16_224": 64,
    "eva02_tiny_patch14_224": 56,
    "beit_base_patch16_224": 64,
    "vit_relpos_small_patch16_224": 64,
    "vit_small_patch16_rope_mixed_224": 64,
}


def size_of(arch):
    """timm's options for a small one; those that it made for tests are small as they are."""
    if arch.startswith("test_"):
        return {}
    return {"embed_dim": 48, "num_heads": 3, "depth": 3}


@contextlib.contextmanager
def small():
    """Within it timm builds all transformers small."""
    import timm

    create = timm.create_model

    def build(arch, *args, **options):
        return create(arch, *args, **size_of(arch), **options)

    with mock.patch.object(timm, "create_model", build):
        yield


def network(arch, side=None, seed=1):
    """A small one with random numbers everywhere, scales and biases too."""
    import timm

    options = {"img_size": side} if side else {}
    net = timm.create_model(arch, pretrained=False, **size_of(arch), **options).eval()
    dice = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            noise = torch.randn(parameter.shape, generator=dice)
            parameter += 0.02 * noise if parameter.ndim > 1 else 0.3 * noise
    return net.requires_grad_(False)
