"""The kinds of code: slices, and vectors whose length forgets the image's size."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from imrep import codes
from imrep.errors import BadParameter

SIZES = [(12, 16), (9, 23), (5, 4)]


def code_of(kind, height, width, batch=2):
    """A random code of an image of that size."""
    torch.manual_seed(height * width)
    maps = torch.randn(batch, 3, height, width)
    points = {
        "xy": torch.rand(batch, 7, 2),
        "values": torch.rand(batch, 7, 5),
        "extent": torch.ones(batch, 7),
        "angle": torch.zeros(batch, 7),
        "present": torch.rand(batch, 7) > 0.3,
    }
    fields = torch.rand(batch, 3, 2, height, width)
    labels = torch.randint(0, 4, (batch, height, width))
    made = {
        "Vector": lambda: codes.Vector(maps.mean((2, 3))),
        "Map": lambda: codes.Map(maps, (height, width)),
        "Warp": lambda: codes.Warp(
            maps, (height, width), rois=torch.rand(batch, 4), angles=torch.zeros(batch)
        ),
        "Pyramid": lambda: codes.Pyramid((maps, maps[..., ::2, ::2]), maps[..., ::3, ::3]),
        "Tokens": lambda: codes.Tokens(maps.mean((2, 3)), maps.flatten(2).mT, (height, width)),
        "Points": lambda: codes.Points(**points, size=(height, width)),
        "Grid": lambda: codes.Grid(maps[:, :, None].repeat(1, 1, 4, 1, 1), maps[:, :1]),
        "Spectrum": lambda: codes.Spectrum(torch.fft.fft2(maps), (height, width)),
        "Blocks": lambda: codes.Spectrum((maps[:, None], maps[:, None]), (height, width)),
        "Regions": lambda: codes.Regions(labels, torch.full((batch,), 4)),
        "Fields": lambda: codes.Fields(
            maps.abs(), fields[:, :, :, None].repeat(1, 1, 1, 2, 1, 1), fields, fields, 1,
            (height, width),
        ),
        "Views": lambda: codes.Views((codes.Vector(maps.mean((2, 3))), codes.Map(maps, (1, 1)))),
    }  # fmt: skip
    return made[kind]()


KINDS = ["Vector", "Map", "Warp", "Pyramid", "Tokens", "Points", "Grid", "Spectrum", "Blocks",
         "Regions", "Fields", "Views"]  # fmt: skip


def test_every_kind_is_tested():
    ours = {
        name for name, c in vars(codes).items() if isinstance(c, type) and codes.Code in c.__mro__
    }
    assert ours - {"Code"} == set(KINDS) - {"Blocks"}


@pytest.mark.parametrize("kind", KINDS)
def test_length_ignores_size(kind):
    shapes = {tuple(code_of(kind, *size).pool().shape) for size in SIZES}
    assert len(shapes) == 1 and shapes.pop()[0] == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_slice_pools_to_the_slice_of_the_vectors(kind):
    code = code_of(kind, 12, 16, batch=3)
    assert len(code) == 3 and len(code[1:]) == 2
    assert_close(code[1:].pool(), code.pool()[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_map_reaches_every_tensor_and_no_metadata(kind):
    code = code_of(kind, 9, 23)
    zero = code.map(torch.zeros_like)
    assert code.tensors().keys() == zero.tensors().keys()
    assert all(not tensor.any() for tensor in zero.tensors().values())
    assert getattr(zero, "size", None) == getattr(code, "size", None)


def test_codes_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        code_of("Map", 4, 4).size = (1, 1)


def test_names_of_tensors_in_tuples():
    assert list(code_of("Pyramid", 8, 8).tensors()) == ["bands.0", "bands.1", "rest"]
    assert list(code_of("Views", 8, 8).tensors()) == ["codes.0.values", "codes.1.values"]


def test_a_pyramid_has_the_size_of_its_finest_band():
    assert code_of("Pyramid", 9, 23).size == (9, 23)
    assert codes.Pyramid((), torch.zeros(1, 3, 4, 5)).size == (4, 5)


def test_signed_maps_are_pooled_by_magnitude():
    values = torch.tensor([[[[1.0, -1.0], [-3.0, 3.0]]]])
    assert codes.Map(values, (2, 2)).pool(cells=1).item() == 0
    assert codes.Map(values, (2, 2), signed=True).pool(cells=1).item() == 2


def test_points_that_are_absent_do_not_count():
    code = code_of("Points", 8, 8)
    there = code.present[0]
    assert_close(code.pool()[0], code.values[0, there].mean(0))
    nobody = dataclasses.replace(code, present=torch.zeros_like(code.present))
    assert not nobody.pool().any()


def test_a_wave_lands_in_the_ring_of_its_frequency():
    phase = 2 * math.pi * 8 * torch.arange(32) / 32  # a quarter of a cycle per pixel
    wave = torch.cos(phase).expand(1, 1, 32, 32)
    rings = codes.Spectrum(torch.fft.fft2(wave), (32, 32)).pool()
    assert rings.argmax().item() == int(0.25 / math.sqrt(0.5) * 16)


def test_regions_count_areas_and_borders():
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    labels[:, :, 3:] = 1
    pooled = codes.Regions(labels, torch.tensor([2])).pool()[0]
    assert pooled[:3].tolist() == [0.75, 0.25, 0]
    assert pooled[16].item() == 2
    assert pooled[17].item() == 4 / 32  # four of the pairs counted as two per pixel


def test_views_have_length_one_and_zero_stays_zero():
    left, right = torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 0.0, 0.0]])
    assert_close(codes.side_by_side([left, right]), torch.tensor([[0.6, 0.8, 0, 0, 0]]))


def test_the_base_has_no_pooling():
    with pytest.raises(TypeError, match="no pooling"):
        codes.Code().pool()


def test_points_are_filtered_in_their_order_without_idle_padding():
    code = code_of("Points", 8, 8, batch=3)
    code = dataclasses.replace(code, values=code.values.requires_grad_())
    some = code.filter(code.columns()["x"] > 0.5)
    for i in range(3):
        wanted = code.present[i] & (code.xy[i, :, 0] > 0.5)
        assert_close(some.values[i, some.present[i]], code.values[i, wanted])
        assert some.present[i].tolist() == sorted(some.present[i].tolist(), reverse=True)
    assert some.present.any(0).all() and some.size == code.size
    assert torch.autograd.grad(some.values.sum(), code.values)[0].any()
    nobody = code.filter(torch.zeros_like(code.present))
    assert nobody.xy.shape == (3, 0, 2) and not nobody.pool().any()


def test_points_are_sorted_and_the_first_are_the_best():
    code = dataclasses.replace(code_of("Points", 8, 8), labels=("a", "b", "c", "d", "e"))
    for by, descending in (("b", True), ("y", False), (code.values[..., 2] - 1, True)):
        done = code.sort(by, descending=descending)
        key = {"b": done.values[..., 1], "y": done.xy[..., 1]}.get(str(by), done.values[..., 2])
        for mine, there, before in zip(key, done.present, code.present, strict=True):
            kept = mine[: int(there.sum())].tolist()
            assert there[: len(kept)].all() and there.sum() == before.sum()
            assert kept == sorted(kept, reverse=descending)
    best = code.sort("b").first(2)
    assert best.xy.shape[1] == 2
    greatest = code.values[0, code.present[0], 1].topk(2).values
    assert_close(best.columns()["b"][0], greatest)


def test_points_have_named_columns():
    code = code_of("Points", 8, 8)
    assert list(code.columns())[:5] == ["x", "y", "extent", "angle", "value0"]
    with pytest.raises(BadParameter, match=r"got 'response'\. Use one of x, y, extent, angle"):
        code.sort("response")


@pytest.mark.parametrize("kind", KINDS)
def test_a_repr_says_kind_and_shapes_and_no_numbers(kind):
    code = code_of(kind, 12, 16)
    text = repr(code)
    assert text.startswith(f"{type(code).__name__}(") and "tensor" not in text
    assert "\n" not in text and len(text) < 300
    for tensor in code.tensors().values():
        assert f"{str(tensor.dtype)[6:]}{list(tensor.shape)}" in text


def test_a_repr_leaves_out_what_is_absent_and_counts_labels():
    values = torch.zeros(1, 6, 2, 2)
    assert repr(codes.Map(values, (4, 4))) == (
        "Map(values=float32[1, 6, 2, 2], size=(4, 4), signed=False)"
    )
    labelled = codes.Map(values, (4, 4), tuple("abcdef"))
    assert "labels=(6 labels)" in repr(labelled)
    assert repr(codes.Pyramid((), values)) == "Pyramid(rest=float32[1, 6, 2, 2])"


def test_every_kind_of_code_has_the_same_repr():
    kinds = [codes.Code]
    for kind in kinds:
        kinds += kind.__subclasses__()
        if kind.__module__.startswith("imrep."):
            assert kind.__repr__ is codes.Code.__repr__, kind
