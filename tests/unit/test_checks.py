"""The door: what passes, and what each refusal says."""

import numpy as np
import pytest
import torch

from imrep import checks
from imrep.errors import BadImage, BadParameter

GOOD = torch.full((2, 3, 4, 5), 0.5)


@pytest.mark.parametrize(
    "x",
    [GOOD, GOOD[:, :1], GOOD.double(), GOOD * 0, GOOD * 2, GOOD[:1, :, :1, :1],
     GOOD + 0.5005],
)  # fmt: skip
def test_images_pass_as_they_are(x):
    assert checks.image(x, "hog") is x


@pytest.mark.parametrize(
    ("x", "got", "remedy"),
    [
        (np.zeros((4, 5, 3)), "ndarray", r"torch\.from_numpy\(x\)"),
        (GOOD[0], r"\(3, 4, 5\)", r"x\[None\]"),
        (GOOD[0, 0], r"\(4, 5\)", r"x\[None, None\]"),
        (GOOD[None], r"\(1, 2, 3, 4, 5\)", r"x\.flatten\(0, -4\)"),
        (GOOD.to(torch.uint8), "torch.uint8", "x / 255"),
        (GOOD.half(), r"float32 or float64, got torch\.float16", r"x\.float\(\)"),
        (GOOD.bfloat16(), r"torch\.bfloat16", r"x\.float\(\)"),
        (GOOD > 0, r"torch\.bool", r"x\.float\(\)"),
        (GOOD.to(torch.complex64), r"torch\.complex64", r"x\.real"),
        (GOOD.to_sparse(), "sparse", "to_dense"),
        (GOOD[:, :0], "got 0", r"imrep\.read\(path\)"),
        (GOOD.permute(0, 2, 3, 1), "got 4", r"x\.permute\(0, 3, 1, 2\)"),
        (GOOD.repeat(1, 2, 1, 1)[:, :4], "got 4", r"x\[:, :3\]"),
        (GOOD[:, :2], "got 2", r"x\.mean\(1, keepdim=True\)"),
        (GOOD[:0], "an empty batch", "Leave it out"),
        (GOOD[..., :0], "4×0", "Enlarge"),
        (GOOD * torch.nan, "NaN", "nan_to_num"),
        (GOOD * torch.inf, "infinity", "nan_to_num"),
        (GOOD * 500, "0.5|250", "x / 255"),
        (GOOD * 3, "1.5", r"x / 1\.5,"),
        (GOOD + 0.53, "1.03", r"x\.clamp\(0, 1\)"),
        (GOOD * 32, "16", "x / 16,"),
        (GOOD * 2046, "1023", "x / 1023,"),
        (GOOD * 4 - 2.9, "-0.9", r"\(x \+ 1\) / 2"),
        (GOOD.long() + 16, "int64", "x / 16,"),
        (GOOD.to(torch.uint16), "uint16", r"x\.float\(\) / 65535"),
        (GOOD * 5 - 4.5, "-2 to -2", "happens inside"),
    ],
)
def test_a_refusal_names_the_caller_the_value_and_the_remedy(x, got, remedy):
    with pytest.raises(BadImage, match=rf"^hog needs .*({got}).*\. .*{remedy}.*\.$"):
        checks.image(x, "hog")


def test_required_channels_and_size():
    with pytest.raises(BadImage, match=r"needs 3 channels, got 1\. Try x\.expand"):
        checks.image(GOOD[:, :1], "hog", channels=3)
    with pytest.raises(BadImage, match="at least 8×8, got 4×5"):
        checks.image(GOOD, "hog", at_least=8)


def test_a_linear_code_takes_differences():
    assert checks.image(-GOOD, "fourier", linear=True) is not None
    with pytest.raises(BadImage, match="x / 255"):
        checks.image(GOOD * 100, "fourier", linear=True)


def test_the_gradient_is_not_touched():
    x = GOOD.clone().requires_grad_()
    checks.image(x, "hog").sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))


def test_compiled_without_breaking_the_graph():
    torch.compiler.reset()
    whole = torch.compile(lambda x: checks.image(x, "hog") * 2, backend="eager", fullgraph=True)
    assert torch.equal(whole(GOOD), GOOD * 2)
    torch.compiler.reset()


def test_parameters():
    checks.at_least(1, 1, "hog", "cell")
    checks.between(0.5, 0, 1, "hog", "a")
    checks.one_of("rgb", ("rgb", "hsv"), "hog", "space")
    with pytest.raises(BadParameter, match=r"^hog needs cell of at least 1, got 0\.$"):
        checks.at_least(0, 1, "hog", "cell")
    with pytest.raises(BadParameter, match=r"^hog needs cell of at least 1, got nan\.$"):
        checks.at_least(float("nan"), 1, "hog", "cell")
    with pytest.raises(BadParameter, match=r"^hog needs a from 0 to 1, got 2\.$"):
        checks.between(2, 0, 1, "hog", "a")
    with pytest.raises(BadParameter, match=r"^hog needs space to be one of rgb, hsv, got 'lab'\.$"):
        checks.one_of("lab", ("rgb", "hsv"), "hog", "space")


@pytest.mark.parametrize("value", ["3", None, [1], torch.ones(3), 1j, b"3"])
def test_what_is_no_number_is_refused(value):
    for refuse in (lambda: checks.at_least(value, 0, "hog", "cell"),
                   lambda: checks.integer(value, 0, 9, "hog", "cell")):  # fmt: skip
        with pytest.raises(BadParameter, match=r"^hog needs cell to be a number, got "):
            refuse()


def test_numbers_of_other_libraries_are_numbers():
    for value in (np.float32(2), np.int64(2), torch.tensor(2.0), 10**400):
        checks.at_least(value, 0, "hog", "cell")
    checks.integer(2.0, 0, 9, "hog", "cell")
    with pytest.raises(BadParameter, match=r"hog needs cell to be a whole number, got 2\.5"):
        checks.integer(2.5, 0, 9, "hog", "cell")
