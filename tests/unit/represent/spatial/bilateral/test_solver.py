"""The fast bilateral solver, against its matrices written out."""

import numpy as np
import pytest
import scipy.sparse.linalg
import torch
from scipy import sparse
from skimage import data
from torch.testing import assert_close

from imrep.errors import BadImage, BadParameter
from imrep.represent.spatial.bilateral import solver
from imrep.represent.spatial.bilateral.solver import bilateral_solver, vertices
from imrep.testing import photo


def scene(height=60, width=80):
    """A photograph's bytes, a noisy target and what to trust of it."""
    pixels = np.ascontiguousarray(data.astronaut()[20 : 20 + height, 180 : 180 + width])
    dice = np.random.default_rng(0)
    target = pixels.mean(2) / 255 + dice.normal(0, 0.1, (height, width))
    return pixels, target, dice.uniform(0.05, 1, (height, width))


def tensors(pixels, target, trust):
    image = torch.from_numpy(pixels / 255).float().permute(2, 0, 1)[None]
    return torch.from_numpy(target)[None, None], image, torch.from_numpy(trust)[None, None]


class Written:
    """The method with explicit matrices over bytes, float64."""

    def __init__(self, pixels, space=8.0, luma=4.0, chroma=4.0):
        self.shape = pixels.shape[:2]
        matrix = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
        levels = pixels.reshape(-1, 3).astype(float) @ np.array(matrix).T + [0, 128, 128]
        y, x = (axis.ravel() for axis in np.indices(self.shape))
        places = np.stack([x / space, y / space, levels[:, 0] / luma, *(levels[:, 1:] / chroma).T])
        keys = 255 ** np.arange(5) @ places.astype(int)
        present, of = np.unique(keys, return_inverse=True)
        count = len(present)
        self.splat = sparse.csr_matrix((np.ones(len(of)), (of, np.arange(len(of)))))
        find = {key: i for i, key in enumerate(present)}
        steps = [sign * 255**axis for axis in range(5) for sign in (-1, 1)]
        pairs = [(i, find[k + s]) for i, k in enumerate(present) for s in steps if k + s in find]
        rows, columns = np.array(pairs).T
        near = sparse.csr_matrix((np.ones(len(pairs)), (rows, columns)), shape=(count, count))
        self.blur = near + 10 * sparse.eye(count)

    def system(self, target, trust, smoothness):
        pixels = self.splat @ np.ones(target.size)
        scale = np.ones(len(pixels))
        for _ in range(10):
            scale = np.sqrt(scale * pixels / (self.blur @ scale))
        mass, around = sparse.diags(scale * (self.blur @ scale)), sparse.diags(scale)
        left = smoothness * (mass - around @ self.blur @ around)
        known = self.splat @ trust.ravel()
        return (left + sparse.diags(known)).tocsr(), self.splat @ (target * trust).ravel(), known

    def solve(self, target, trust, smoothness=128.0, steps=25):
        left, right, known = self.system(target, trust, smoothness)
        jacobi = sparse.diags(1 / np.maximum(left.diagonal(), 1e-5))
        found, _ = scipy.sparse.linalg.cg(
            left, right, right / known, rtol=1e-5, maxiter=steps, M=jacobi
        )
        return (self.splat.T @ found).reshape(self.shape)

    def filter(self, target, trust):
        sums, known = self.splat @ (target * trust).ravel(), self.splat @ trust.ravel()
        ratio = self.splat.T @ (self.blur @ sums) / (self.splat.T @ (self.blur @ known))
        return ratio.reshape(self.shape)


@pytest.mark.parametrize(
    ("options", "smoothness"),
    [((8.0, 4.0, 4.0), 128.0), ((8.0, 4.0, 4.0), 1.0), ((5.0, 8.0, 12.0), 30.0)],
)
def test_equals_the_method_with_its_matrices(options, smoothness):
    pixels, target, trust = scene()
    sigmas = dict(zip(("sigma_space", "sigma_luma", "sigma_chroma"), options, strict=True))
    wanted = Written(pixels, *options).solve(target, trust, smoothness)
    found = bilateral_solver(*tensors(pixels, target, trust), smoothness=smoothness, **sigmas)
    np.testing.assert_allclose(found[0, 0], wanted, rtol=0, atol=1e-9)


def test_its_filter_equals_the_matrices_product():
    pixels, target, trust = scene()
    wanted, image, known = tensors(pixels, target, trust)
    found = vertices(image[0]).filter(wanted[0], known[0])
    np.testing.assert_allclose(found[0], Written(pixels).filter(target, trust), atol=1e-12)


@pytest.mark.parametrize("levels", [np.arange(256), np.arange(255, -1, -1)])
def test_gray_levels_fall_into_the_cells_that_bytes_do(levels):
    pixels = levels.astype(np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    groups = vertices(torch.from_numpy(pixels / 255).float().permute(2, 0, 1), sigma_space=1e3)
    assert len(groups) == Written(pixels, 1e3).splat.shape[0]
    gray = torch.from_numpy(pixels[..., 0] / 255).float()[None]
    assert torch.equal(vertices(gray, sigma_space=1e3).of, groups.of)


def test_more_steps_end_at_the_solution(monkeypatch):
    pixels, target, trust = scene(30, 40)
    written = Written(pixels)
    left, right, _ = written.system(target, trust, 128.0)
    wanted = written.splat.T @ scipy.sparse.linalg.spsolve(left.tocsc(), right)
    monkeypatch.setattr(solver, "_STEPS", 400)
    found = bilateral_solver(*tensors(pixels, target, trust))
    np.testing.assert_allclose(found[0, 0], wanted.reshape(30, 40), atol=1e-3)


def test_a_constant_target_stays():
    image = photo(24, 31)
    out = bilateral_solver(torch.full((2, 2, 24, 31), 0.3), image, torch.rand(2, 1, 24, 31))
    assert_close(out, torch.full_like(out, 0.3), rtol=0, atol=1e-6)


def test_pixels_of_zero_confidence_are_filled_from_their_side_of_an_edge():
    image = torch.zeros(1, 3, 32, 32)
    image[..., 16:] = 1
    target, trust = torch.rand(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    for column, value in ((4, 0.2), (27, 0.9)):
        target[..., 16, column], trust[..., 16, column] = value, 1
    out = bilateral_solver(target, image, trust, smoothness=1.0)
    assert out.isfinite().all()
    assert (out[..., :16] - 0.2).abs().max() < 0.05 and (out[..., 16:] - 0.9).abs().max() < 0.05


def test_a_filter_without_confidence_is_zero():
    image = photo(9, 9)[0]
    assert not vertices(image).filter(torch.ones(1, 9, 9), torch.zeros(1, 9, 9)).any()


def test_a_step_beyond_an_axis_has_no_neighbour():
    image = torch.zeros(1, 1, 300)
    groups = vertices(image, sigma_space=1.0)  # 300 columns: the last has no right neighbour
    assert len(groups) == 300
    assert (groups.neighbours == 300).sum() == 2 + 8 * 300


def test_a_batch_is_a_loop_and_types_are_preserved():
    target, image = torch.rand(2, 3, 20, 17), photo(20, 17)
    both = bilateral_solver(target, image)
    assert both.dtype == torch.float32
    for i in range(2):
        assert_close(bilateral_solver(target[i : i + 1], image[i : i + 1])[0], both[i])
    assert bilateral_solver(target.double(), image).dtype == torch.float64


def test_gradients_in_target_and_confidence():
    image = photo(5, 6, batch=1)
    target = torch.rand(1, 1, 5, 6, dtype=torch.float64, requires_grad=True)
    trust = (0.5 + torch.rand(1, 1, 5, 6, dtype=torch.float64)).requires_grad_()
    options = {"smoothness": 2.0, "sigma_space": 2.0, "sigma_luma": 80.0, "sigma_chroma": 80.0}
    assert torch.autograd.gradcheck(
        lambda t, c: bilateral_solver(t, image, c, **options), (target, trust), fast_mode=True
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("smoothness", 0.0), ("sigma_space", -1.0), ("sigma_luma", float("nan")), ("sigma_chroma", 0)],
)
def test_bad_parameters_are_refused(name, value):
    with pytest.raises(BadParameter, match=f"bilateral_solver needs {name} above 0"):
        bilateral_solver(torch.rand(1, 1, 8, 8), photo(8, 8, batch=1), **{name: value})


def test_cells_that_cannot_be_counted_are_refused():
    with pytest.raises(BadParameter, match="63 bits"):
        vertices(photo(8, 8)[0], sigma_space=1e-9, sigma_luma=1e-9)


@pytest.mark.parametrize(
    ("target", "image", "trust", "message"),
    [
        (torch.rand(2, 1, 8, 9), photo(8, 8), None, "a target .*2, channel, 8, 8"),
        (torch.rand(2, 1, 8, 8) / 0, photo(8, 8), None, "a target that is finite"),
        (torch.rand(2, 1, 8, 8), photo(8, 8) * 255, None, "values in"),
        (torch.rand(2, 1, 8, 8), photo(8, 8), torch.ones(2, 2, 8, 8), "a confidence .*2, 1, 8, 8"),
        (torch.rand(2, 1, 8, 8), photo(8, 8), -torch.ones(2, 1, 8, 8), "confidence ≥ 0"),
        (torch.rand(2, 1, 8, 8), photo(8, 8), torch.zeros(2, 1, 8, 8), "above 0 somewhere"),
    ],
)
def test_what_does_not_fit_is_refused(target, image, trust, message):
    with pytest.raises(BadImage, match=f"bilateral_solver needs .*{message}"):
        bilateral_solver(target, image, trust)


def test_the_solver_spreads_one_stroke_within_an_edge():
    image = torch.zeros(1, 1, 32, 32)
    image[..., 16:] = 1
    target, confidence = torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    for column, value in ((4, 0.2), (28, 0.9)):
        target[..., 16, column], confidence[..., 16, column] = value, 1
    solved = bilateral_solver(target, image, confidence)
    assert (solved[..., :14].mean() - 0.2).abs() < 0.05
    assert (solved[..., 18:].mean() - 0.9).abs() < 0.05
