"""Scattering: the literature's numbers, the laws of its paper, and the way back."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import imrep
from imrep import _native
from imrep.codes import Vector
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.inversion import psnr
from imrep.testing import photo


def code(image, **parameters):
    return imrep.get("scattering", **parameters).encode(image).values


@pytest.fixture(scope="module")
def photographs():
    """Four gray photographs (64, 64), halved by area."""
    data = pytest.importorskip("skimage.data")
    found = []
    for name in ("camera", "astronaut", "chelsea", "coffee"):
        pixels = torch.from_numpy(getattr(data, name)()).double() / 255
        gray = pixels if pixels.ndim == 2 else pixels @ pixels.new_tensor([0.299, 0.587, 0.114])
        half = torch.nn.functional.avg_pool2d(gray[None, None], 2)
        top, left = (n // 2 - 32 for n in half.shape[2:])
        found.append(half[:, :, top : top + 64, left : left + 64].float())
    return found


@pytest.mark.parametrize(
    "topic", ["scattering", "scattering of order 1", "scattering of an odd size"]
)
def test_equals_the_reference(references, topic):
    stored = references(topic)
    parameters = {
        "scales": int(stored["J"]),
        "orientations": int(stored["L"]),
        "order": int(stored["max_order"]),
        "pre_pad": bool(stored["pre_pad"]),
    }
    x, expected = stored["x"], stored["S"].astype(np.float64)
    scattering = imrep.get("scattering", **parameters)
    assert np.array_equal(scattering.meta, stored["meta"])
    for dtype, within in ((torch.float32, 1e-6), (torch.float64, 2e-7)):
        values = scattering.encode(torch.from_numpy(x)[:, None].to(dtype)).values
        assert values.dtype == dtype
        difference = np.abs(values.double().numpy() - expected)
        assert np.linalg.norm(difference) < within * np.linalg.norm(expected)
        assert (difference.max((2, 3)) < 1e-5 * np.abs(expected).max((2, 3))).all()


def test_gradient_equals_the_reference(refs):
    with np.load(refs / "scattering" / "s32_J2_L8.npz") as stored:
        x, wanted = torch.from_numpy(stored["x"][:2]), torch.from_numpy(stored["grad_half_sq"][:2])
    image = x[:, None].requires_grad_()  # the third has moduli of nothing but rounding
    (0.5 * code(image, scales=2).square().sum()).backward()
    for got, expected in zip(image.grad[:, 0].double(), wanted, strict=True):
        assert (got - expected).norm() < 1e-6 * expected.norm()


@pytest.mark.parametrize(
    ("size", "parameters"),
    [
        ((16, 16), {"scales": 4, "orientations": 3}),  # 2^J is the size
        ((45, 61), {"scales": 3, "orientations": 5}),
        ((40, 23), {"scales": 1, "orientations": 1}),
        ((70, 39), {"scales": 3, "orientations": 6, "order": 1}),
        ((48, 56), {"scales": 3, "orientations": 4, "pre_pad": True}),
        ((24, 90), {"scales": 3, "orientations": 12}),
    ],
)
@pytest.mark.parametrize("native", [True, False])
def test_equals_kymatio(size, parameters, native):
    peer = pytest.importorskip("kymatio.scattering2d.frontend.torch_frontend").ScatteringTorch2D
    scales, padded = parameters["scales"], parameters.get("pre_pad", False)
    inner = [n - 2 * 2**scales for n in size] if padded else size
    theirs = peer(
        scales,
        inner,
        L=parameters["orientations"],
        max_order=parameters.get("order", 2),
        pre_pad=padded,
    )
    image = photo(*size, batch=3, channels=1)
    wanted = theirs(image[:, 0].contiguous())
    if native:
        found = code(image, **parameters)
    else:
        with _native.switched_off():
            found = code(image, **parameters)
    assert found.shape == wanted.shape
    assert (found - wanted).norm() < 1e-6 * wanted.norm()
    assert ((found - wanted).abs().amax((2, 3)) < 1e-5 * wanted.abs().amax((2, 3))).all()


@settings(max_examples=25)
@given(
    st.integers(8, 70),
    st.integers(8, 70),
    st.integers(1, 3),
    st.integers(1, 9),
    st.sampled_from([1, 2]),
)
def test_shapes_and_the_order_of_paths(height, width, scales, orientations, order):
    scattering = imrep.get("scattering", scales=scales, orientations=orientations, order=order)
    made = scattering.encode(photo(height, width, batch=1, channels=1))
    pairs = scales * (scales - 1) // 2 if order == 2 else 0
    count = 1 + scales * orientations + orientations**2 * pairs
    assert made.values.shape == (1, count, height // 2**scales, width // 2**scales)
    meta = scattering.meta
    assert len(made.labels) == len(set(made.labels)) == len(meta) == count
    rows = meta.tolist()
    assert rows == sorted(rows, key=lambda r: (r[0], r[1], r[3], r[2], r[4]))
    second = meta[meta[:, 0] == 2]
    assert (second[:, 2] > second[:, 1]).all()
    assert (second[:, 5] == second[:, 1] * orientations + second[:, 3]).all()


def test_a_constant_has_only_its_average():
    constant = torch.full((1, 1, 37, 50), 0.7)
    found = code(constant)
    torch.testing.assert_close(found[:, 0], torch.full_like(found[:, 0], 0.7 * 1.0000295))
    assert found[:, 1:].abs().max() < 1e-6 * 0.7


def test_contrast_scales_the_code_and_brightness_is_the_average():
    image = photo(40, 56, channels=1).double()
    plain, lighter, stronger = code(image), code(image + 3), code(-2 * image)
    torch.testing.assert_close(lighter[:, 1:], plain[:, 1:], rtol=0, atol=1e-14)
    torch.testing.assert_close(stronger[:, 1:], 2 * plain[:, 1:])
    torch.testing.assert_close(stronger[:, 0], -2 * plain[:, 0])


def test_transposing_the_image_turns_the_angles():
    scattering, image = imrep.get("scattering"), photo(48, 48, batch=1, channels=1).double()
    found, turned = scattering.encode(image.mT).values[0], scattering.encode(image).values[0].mT
    meta = scattering.meta.tolist()
    place = {tuple(row[:5]): i for i, row in enumerate(meta)}
    for i, (order, j1, j2, t1, t2, *_) in enumerate(meta):
        there = [(2 - t) % 8 if t >= 0 else -1 for t in (t1, t2)]
        other = turned[place[order, j1, j2, *there]]
        assert (found[i] - other).abs().max() < 1e-4 * turned.abs().max()


def test_an_angle_of_zero_answers_to_horizontal_stripes():
    scattering = imrep.get("scattering", scales=2, orientations=8, order=1)
    rows = 0.5 + 0.4 * torch.cos(2.4 * torch.arange(32.0))[:, None].expand(32, 32)
    energy = scattering.encode(rows[None, None]).values[0, 1:9].mean((1, 2))
    assert int(energy.argmax()) == 3
    assert scattering.encode(rows[None, None]).labels[4] == "gray: scale 0 at 0°"


def test_rolling_a_periodic_image_rolls_the_code():
    x = photo(48, 64, batch=1, channels=1).double()
    before, after = (code(y, pre_pad=True) for y in (x, x.roll((8, 16), (2, 3))))
    torch.testing.assert_close(after[..., 1:, 2:], before[..., :-1, :-2], rtol=0, atol=1e-14)


def test_small_shifts_move_the_code_little():
    image = photo(80, 80, batch=1, channels=1)
    x, y = image[..., 8:-8, 8:-8], image[..., 9:-7, 8:-8]
    for first, second in ((x, y), (torch.rand(2, 1, 1, 64, 64))):
        first, second = first.reshape(1, 1, 64, 64), second.reshape(1, 1, 64, 64)
        assert 8 * (code(first) - code(second)).norm() < 1.1 * (first - second).norm()


def test_one_scale_has_no_second_order():
    image = photo(20, 20, channels=1)
    assert torch.equal(code(image, scales=1), code(image, scales=1, order=1))


def test_an_image_is_the_same_alone_and_in_a_batch():
    image = photo(33, 41, batch=5)
    together, alone = code(image), torch.cat([code(one) for one in image.split(1)])
    torch.testing.assert_close(together, alone, rtol=1e-6, atol=1e-7)


def test_planes_are_luma_and_chroma_or_colours():
    image = photo(16, 16, batch=1)
    colours = code(image, scales=2, colour="rgb")
    assert torch.equal(colours[:, 81:162], code(image[:, 1:2], scales=2))
    luma = 0.299 * image[:, :1] + 0.587 * image[:, 1:2] + 0.114 * image[:, 2:]
    torch.testing.assert_close(code(image, scales=2)[:, :81], code(luma, scales=2))
    assert imrep.get("scattering", colour="rgb").encode(image).labels[217] == "G: average"


def test_vector_is_logarithms_but_for_the_average():
    scattering = imrep.get("scattering", scales=2, cells=1)
    made = scattering.encode(photo(32, 32, batch=1))
    vector, means = scattering.pool(made)[0], made.values[0].mean((1, 2))
    assert vector.shape == (scattering.dim,) == (243,)
    torch.testing.assert_close(vector[[0, 81, 162]], means[[0, 81, 162]])
    torch.testing.assert_close(vector[1:81], (means[1:81].clamp_min(0) + 1e-3).log())
    assert imrep.get("scattering").dim == 2604
    assert imrep.get("scattering", scales=8).dim > 2604  # without an image large enough


def test_gradcheck():
    image = photo(8, 8, batch=1, channels=1).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: code(x, scales=2, orientations=2), image)


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_flat_images_have_a_finite_gradient(level):
    image = torch.full((1, 1, 16, 16), level, requires_grad=True)
    code(image, scales=2).sum().backward()
    assert image.grad.isfinite().all() and image.grad.abs().max() < 0.3


def test_copies_and_pickles_are_small_and_equal():
    scattering, image = imrep.get("scattering", scales=2), photo(16, 16)
    wanted = scattering.encode(image).values
    packed = pickle.dumps(scattering)
    assert len(packed) < 10_000 and not scattering.state_dict()
    for other in (pickle.loads(packed), copy.deepcopy(scattering)):
        assert torch.equal(other.encode(image).values, wanted)


def test_inversion_starts_from_the_average_and_converges_to_the_code():
    scattering = imrep.get("scattering", scales=2, orientations=4)
    image = photo(24, 32, batch=1)
    made = scattering.encode(image)
    start, found = (scattering.invert(made, iterations=n) for n in (0, 20))
    assert found.shape == image.shape and psnr(image, start) > 15
    assert scattering.distance(found, made) < 0.05 * scattering.distance(start, made)
    assert scattering.distance(image, made) == 0


def test_careful_inversion_is_never_farther_from_the_code():
    scattering = imrep.get("scattering", scales=2, orientations=3, colour="rgb")
    made = scattering.encode(0.2 + 0.6 * photo(16, 16, batch=1))
    plain, careful = (scattering.invert(made, 12, careful=c) for c in (False, True))
    assert float(scattering.distance(careful, made)) <= 1.01 * float(
        scattering.distance(plain, made)
    )


def test_a_constant_is_inverted():
    scattering = imrep.get("scattering", scales=2, orientations=2)
    image = torch.full((1, 1, 12, 12), 0.3)
    torch.testing.assert_close(
        scattering.invert(scattering.encode(image), 5), image, rtol=0, atol=1e-4
    )


@pytest.mark.slow
@pytest.mark.parametrize(("scales", "least"), [(2, 31), (3, 28)])
def test_photographs_come_back(scales, least, photographs):
    scattering = imrep.get("scattering", scales=scales)
    found = [psnr(x, scattering.invert(scattering.encode(x))) for x in photographs]
    assert np.mean(found) >= least, found


@pytest.mark.parametrize(
    ("size", "parameters", "message"),
    [
        ((20, 48), {"scales": 5}, "at least 32×32 at scales=5, got 20×48. Use scales=4"),
        ((1, 1), {"scales": 1}, "Enlarge them first"),
        ((40, 44), {"pre_pad": True}, "sides of 24, 32, … pixels at scales=3, got 40×44"),
        ((16, 40), {"pre_pad": True}, "got 16×40. Leave out pre_pad"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(size, parameters, message):
    with pytest.raises(BadImage, match=message):
        imrep.get("scattering", **parameters).encode(photo(*size))


@pytest.mark.parametrize(
    ("key", "value"),
    [("scales", 0), ("orientations", 0), ("order", 3), ("order", 0), ("cells", 0), ("colour", "x")],
)
def test_bad_parameters_are_refused(key, value):
    with pytest.raises(BadParameter, match=f"scattering needs {key}"):
        imrep.get("scattering", **{key: value})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scales": 2}, "81 or 243 maps at scales=2, orientations=8, order=2, got 217"),
        ({"order": 1}, "25 or 75 maps at scales=3, orientations=8, order=1, got 217"),
        ({"scales": 1, "orientations": 216}, "orientations from 1 to 64"),
    ],
)
def test_codes_of_other_parameters_are_refused(parameters, message):
    made = imrep.get("scattering").encode(photo(16, 16, batch=1, channels=1))
    with pytest.raises((BadCode, BadParameter), match=message):
        imrep.get("scattering", **parameters).invert(made)


@pytest.mark.no_shapes
def test_codes_of_other_sizes_planes_and_kinds_are_refused():
    scattering = imrep.get("scattering", scales=2, orientations=2)
    made = scattering.encode(photo(16, 16, batch=1))
    with pytest.raises(BadCode, match="maps of 5×5 for images of 20×20, got 4×4"):
        scattering.invert(type(made)(made.values, (20, 20), made.labels))
    with pytest.raises(BadCode, match="needs map 0 to be 'R: average', got 'Y: average'"):
        imrep.get("scattering", scales=2, orientations=2, colour="rgb").invert(made)
    with pytest.raises(BadCode, match=r"needs a Map, got Vector"):
        scattering.invert(Vector(scattering.pool(made)))
