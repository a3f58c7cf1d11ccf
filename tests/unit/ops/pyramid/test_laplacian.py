"""REDUCE, EXPAND and what is built of them: OpenCV's numbers, to the bit for integers."""

from contextlib import nullcontext

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep import _native
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.ops.pyramid import native, polyphase, reference
from imrep.ops.pyramid.laplacian import build, collapse, expand, reduce

SIDES = st.integers(1, 40)
INTEGERS = [np.uint8, np.uint16, np.int16]
SIZES = [(1, 1), (1, 4), (4, 1), (2, 2), (3, 2), (2, 5), (1, 2), (130, 257), (1, 300), (301, 1)]

both = pytest.mark.parametrize(
    "native",
    [pytest.param(True, marks=pytest.mark.skipif(not _native.built("kernels"), reason="no C")),
     False],
)  # fmt: skip


def mode(native):
    return nullcontext() if native else _native.switched_off()


def opencv(x):
    """What OpenCV makes of an array: half of it, and that enlarged again."""
    height, width = x.shape
    low = cv2.pyrDown(x).reshape((height + 1) // 2, (width + 1) // 2)
    return low, cv2.pyrUp(low, dstsize=(width, height)).reshape(x.shape)


def noise(kind, *shape):
    rng = np.random.default_rng(sum(shape))
    if np.issubdtype(kind, np.floating):
        return rng.random(shape).astype(kind)
    limits = np.iinfo(kind)
    return rng.integers(limits.min, limits.max + 1, shape).astype(kind)


@both
@pytest.mark.parametrize("kind", INTEGERS)
@pytest.mark.parametrize("size", SIZES)
def test_integers_equal_opencv_to_the_bit(native, kind, size):
    x = noise(kind, *size)
    low, enlarged = opencv(x)
    with mode(native):
        np.testing.assert_array_equal(reduce(torch.from_numpy(x)), low)
        np.testing.assert_array_equal(expand(torch.from_numpy(low), size), enlarged)


@both
@pytest.mark.parametrize(("kind", "within"), [(np.float32, 2e-7), (np.float64, 1e-15)])
@pytest.mark.parametrize("size", SIZES)
def test_floats_equal_opencv_to_rounding(native, kind, within, size):
    x = noise(kind, *size)
    low, enlarged = opencv(x)
    with mode(native):
        np.testing.assert_allclose(reduce(torch.from_numpy(x)), low, rtol=0, atol=within)
        found = expand(torch.from_numpy(low), size)
        np.testing.assert_allclose(found, enlarged, rtol=0, atol=within)


@both
def test_equals_the_reference(native, references):
    stored = references("pyramid")
    image = {key: torch.from_numpy(stored[key]).permute(2, 0, 1) for key in stored}
    with mode(native):
        assert torch.equal(reduce(image["x_u8"]), image["down_u8"])
        assert torch.equal(expand(image["down_u8"], (127, 190)), image["up_u8"])
        assert_close(reduce(image["x_f32"]), image["down_f32"], rtol=0, atol=1e-6)
        for key in ("up_f32", "up_even_f32"):
            found = expand(image["down_f32"], image[key].shape[1:])
            assert_close(found, image[key], rtol=0, atol=1e-6)


@both
@pytest.mark.parametrize("kind", INTEGERS)
@settings(max_examples=20)
@given(SIDES, SIDES, st.integers(1, 8))
def test_a_pyramid_of_integers_is_lossless(native, kind, height, width, levels):
    x = torch.from_numpy(noise(kind, 2, height, width))
    with mode(native):
        bands, rest = build(x, levels)
        assert rest.dtype == x.dtype
        assert {band.dtype for band in bands} == {polyphase.difference(x.dtype)}
        assert torch.equal(collapse(bands, rest), x)


@both
def test_sums_beyond_the_type_are_brought_back_to_its_ends(native):
    with mode(native):
        bands, rest = build(torch.from_numpy(noise(np.uint8, 9, 12)), 2)
        brighter = (bands[0] + 300, bands[1])
        assert (collapse(brighter, rest) == 255).all()
        darker = (bands[0] - 600, bands[1])
        assert (collapse(darker, rest) == 0).all()


@pytest.mark.skipif(not _native.built("kernels"), reason="no compiler at install")
@settings(max_examples=40)
@given(SIDES, SIDES, st.floats(0.05, 0.95), st.integers(1, 6), st.booleans())
def test_kernels_and_torch_agree(height, width, a, levels, integer):
    x = torch.from_numpy(noise(np.uint8 if integer else np.float32, 2, 3, height, width))
    a = 0.375 if integer else a
    bands, rest = build(x, levels, a)
    image, halved = collapse(bands, rest, a), reduce(x, a)
    doubled = expand(halved, (height, width), a)
    with _native.switched_off():
        plain, low = build(x, levels, a)
        pairs = [(rest, low), *zip(bands, plain, strict=True)]
        pairs += [(image, collapse(bands, rest, a)), (halved, reduce(x, a))]
        pairs += [(doubled, expand(halved, (height, width), a))]
    for one, other in pairs:
        assert_close(one, other, rtol=0, atol=0 if integer else 1e-7)


@settings(max_examples=40)
@given(SIDES, SIDES, st.floats(0.05, 0.95))
def test_steps_are_the_papers_sums(height, width, a):
    x = torch.from_numpy(noise(np.float32, 2, height, width)).double()
    low = reduce(x, a)
    assert_close(low, reference.reduce(x, a), rtol=0, atol=1e-12)
    size = height, width
    assert_close(expand(low, size, a), reference.expand(low, size, a), rtol=0, atol=1e-12)


@pytest.mark.parametrize("block", [1, 64, 500, 4096])
@pytest.mark.parametrize("kind", [torch.float32, torch.uint8])
def test_blocks_change_nothing(monkeypatch, block, kind):
    x = torch.from_numpy(noise(np.uint8, 5, 23, 18)).to(kind)
    with _native.switched_off():
        whole = build(x, 3)
        monkeypatch.setattr(polyphase, "_BLOCK", block)
        parts = build(x, 3)
        again = collapse(*parts)
    for one, other in zip((*whole[0], whole[1]), (*parts[0], parts[1]), strict=True):
        assert torch.equal(one, other)
    assert_close(again, x)


def test_large_tensors_are_of_the_requested_types(monkeypatch):
    monkeypatch.setattr(polyphase, "_HUGE_PAGES", 1)
    for kind in (np.float32, np.float64, *INTEGERS):
        x = torch.from_numpy(noise(kind, 9, 12))
        bands, rest = build(x, 2)
        assert_close(collapse(bands, rest), x)
        assert bands[0].dtype == polyphase.difference(x.dtype)


@both
def test_layout_in_memory_does_not_matter(native):
    x = torch.from_numpy(noise(np.float32, 2, 3, 9, 12))
    others = [x.mT.contiguous().mT, x.contiguous(memory_format=torch.channels_last)]
    others += [torch._neg_view(-x)]
    with mode(native):
        for other in others:
            assert torch.equal(reduce(other), reduce(x))


def test_leading_axes_are_preserved():
    x = torch.rand(2, 1, 3, 7, 5)
    bands, rest = build(x, 2)
    assert [tuple(t.shape) for t in (*bands, rest)] == [
        (2, 1, 3, 7, 5), (2, 1, 3, 4, 3), (2, 1, 3, 2, 2)]  # fmt: skip
    assert_close(collapse(bands, rest), x)
    assert_close(reduce(x[0, 0, 0]), reduce(x)[0, 0, 0])


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_halves_are_worked_on_in_float32(kind):
    x = torch.rand(2, 33, 20).to(kind)
    bands, rest = build(x, 3)
    wide, low = build(x.float(), 3)
    for one, other in zip((*bands, rest), (*wide, low), strict=True):
        assert torch.equal(one, other.to(kind))
    assert collapse(bands, rest).dtype == kind


@pytest.mark.filterwarnings("ignore:.torch.jit.script:FutureWarning")  # torch's own, once
def test_derivatives_come_from_torch():
    x = torch.rand(3, 5, 6, requires_grad=True)
    y = torch.rand(3, 5, 6)
    bands, rest = build(x, 2)
    slope = torch.autograd.grad(sum(band.square().sum() for band in bands) + rest.sum(), x)[0]
    energy = lambda x: sum(band.square().sum() for band in build(x, 2)[0]) + build(x, 2)[1].sum()  # noqa: E731
    assert_close(torch.func.grad(energy)(x.detach()), slope)
    along = torch.func.jvp(lambda x: reduce(x), (x.detach(),), (y,))[1]
    assert_close(along, reduce(y))
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x.detach(), y)
        tangent = torch.autograd.forward_ad.unpack_dual(reduce(dual)).tangent
    assert_close(tangent, reduce(y))
    assert_close(torch.vmap(lambda x: collapse(*build(x, 2)))(y), y)


def test_gradients_to_the_second_order():
    x = torch.rand(1, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: (*build(x, 2, 0.4)[0], build(x, 2, 0.4)[1]), x)
    assert torch.autograd.gradgradcheck(lambda x: reduce(x * x), x)
    assert torch.autograd.gradcheck(lambda x: expand(x, (9, 8)), x)


@pytest.mark.filterwarnings("ignore:.torch.jit.trace:FutureWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")  # sizes, which a trace does freeze
def test_traced_it_does_not_freeze_the_numbers():
    x, y = torch.rand(2, 1, 8, 6)
    traced = torch.jit.trace(reduce, x)
    assert_close(traced(y), reduce(y))


def test_kernels_are_left_to_what_they_can_do():
    x = torch.rand(1, 4, 4)
    for other in (x.double(), x.clone().requires_grad_(), x.to("meta"), x.half(), x.int()):
        assert native.kernels(other) is None
    with torch.no_grad():
        found = native.kernels(x.clone().requires_grad_())
    assert (found is None) == (not _native.built("kernels"))


@pytest.mark.gpu
def test_the_same_on_cuda():
    x = torch.rand(2, 3, 37, 50)
    bands, rest = build(x, 3)
    there, low = build(x.cuda(), 3)
    for one, other in zip((*bands, rest), (*there, low), strict=True):
        assert_close(one, other.cpu(), rtol=0, atol=3e-7)
    assert collapse(there, low).device.type == "cuda"


@pytest.mark.parametrize("x", [torch.rand(5), torch.rand(0, 4, 4), torch.rand(2, 0)])
def test_what_has_no_pixels_is_refused(x):
    for call in (reduce, lambda x: build(x, 1), lambda x: expand(x, (1, 1))):
        with pytest.raises(BadImage, match=r"a pyramid needs .*height, width.*, got shape"):
            call(x)


def test_other_types_are_refused():
    with pytest.raises(BadImage, match=r"got torch\.int64. Try x.float()"):
        reduce(torch.ones(4, 4, dtype=torch.int64))
    with pytest.raises(BadParameter, match=r"needs a of 0\.375, got 0.4"):
        build(torch.ones(4, 4, dtype=torch.uint8), 1, 0.4)


@pytest.mark.parametrize("levels", [0, -1, 63])
def test_levels_out_of_range_are_refused(levels):
    with pytest.raises(BadParameter, match=f"levels from 1 to 62, got {levels}"):
        build(torch.rand(4, 4), levels)


@pytest.mark.parametrize("size", [(9, 8), (6, 8), (8, 4), (0, 8)])
def test_sizes_that_do_not_fit_are_refused(size):
    with pytest.raises(BadCode, match=r"expand needs .* got 4×4"):
        expand(torch.rand(4, 4), size)


def test_parts_that_do_not_fit_are_refused():
    bands, rest = build(torch.rand(2, 9, 6), 2)
    for parts in ((bands[:1], rest), (bands, rest[:1]), (bands, rest.double())):
        with pytest.raises(BadCode, match="collapse needs"):
            collapse(*parts)
    assert torch.equal(collapse((), rest), rest)


@pytest.mark.parametrize("kind", [torch.uint8, torch.uint16, torch.int16])
def test_integer_pyramids_are_lossless_and_opencvs(kind):
    top = {torch.uint8: 256, torch.uint16: 65536, torch.int16: 32768}[kind]
    dice = np.random.default_rng(0)
    name = str(kind).removeprefix("torch.")
    array = dice.integers(0 if top != 32768 else -32768, top, (37, 52)).astype(name)
    x = torch.from_numpy(array)
    np.testing.assert_array_equal(reduce(x).numpy(), cv2.pyrDown(array))
    np.testing.assert_array_equal(
        expand(reduce(x), (37, 52)).numpy(), cv2.pyrUp(cv2.pyrDown(array), dstsize=(52, 37))
    )
    assert torch.equal(collapse(*build(x, 3)), x)
