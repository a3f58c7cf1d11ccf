"""The search for an image with a given code: its objective, its steps, what it repeats."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from imrep.base import Representation
from imrep.codes import Map
from imrep.inversion import gradient_search
from imrep.inversion.gradient_search import search
from imrep.registry.cards import Card
from imrep.testing import photo


class Means(Representation[Map]):
    """Means of 4 × 4 pixels."""

    card = Card(title="Means", family="test", cite="")

    def __init__(self):
        super().__init__()

    def encode(self, image):
        return Map(F.avg_pool2d(image, 4), tuple(image.shape[2:]))


def target():
    image = photo(16, 24, batch=1)
    return image, Means().encode(image)


def test_the_search_approximates_the_code_with_an_image_in_range():
    image, code = target()
    found, steps = search(Means(), code, (3, 16, 24), iterations=60, seed=0)
    assert found.shape == image.shape and found.min() >= 0 and found.max() <= 1 and steps <= 60
    error = (Means().encode(found).values - code.values).norm() / code.values.norm()
    assert error < 0.05


def test_a_seed_decides_everything_and_progress_ascends():
    _, code = target()
    calls = []
    first, steps = search(
        Means(), code, (3, 16, 24), iterations=30, seed=1, watch=lambda n, _: calls.append(n)
    )
    again, _ = search(Means(), code, (3, 16, 24), iterations=30, seed=1)
    other, _ = search(Means(), code, (3, 16, 24), iterations=30, seed=2)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert calls == sorted(calls) and calls[-1] == steps


@pytest.mark.parametrize(("shape", "iterations"), [((1, 9, 5), 10), ((3, 4, 4), 0), ((3, 1, 1), 5)])
def test_any_shape_and_no_steps(shape, iterations):
    class Identity(Means):
        def encode(self, image):
            return Map(image, tuple(image.shape[2:]))

    code = Identity().encode(torch.full((1, *shape), 0.3))
    found, steps = search(Identity(), code, shape, iterations=iterations, seed=0)
    assert found.shape == (1, *shape) and found.isfinite().all() and steps <= iterations


def test_the_distance_is_relative_and_averaged_over_tensors():
    a = {"x": torch.tensor([3.0, 4.0]), "z": torch.tensor([2.0 + 0j])}
    b = {"x": torch.tensor([3.0, 5.0]), "z": torch.tensor([2.0 + 2j])}
    assert gradient_search._distance(a, a) == 0
    assert gradient_search._distance(b, a).item() == pytest.approx((1 / 25 + 1) / 2)
    scaled = ({k: 7 * t for k, t in part.items()} for part in (b, a))
    assert_close(gradient_search._distance(*scaled), gradient_search._distance(b, a))
    zero = {"x": torch.zeros(2)}
    assert gradient_search._distance(zero, zero) == 0


def test_the_prior_prefers_few_edges_and_gray_ones():
    step, noise = torch.full((1, 3, 32, 32), 0.3), torch.full((1, 3, 32, 32), 0.5)
    step[..., 16:] = 0.7
    noise += 0.2 * (2 * torch.randint(0, 2, (1, 1, 32, 32)) - 1)  # of the same contrast
    colour = step.clone()
    colour[:, 0], colour[:, 2] = step[:, 0].flip(2), step[:, 2]
    variation = gradient_search._variation
    assert variation(step) < 0.2 * variation(noise)
    assert variation(step) < variation(colour)
    assert variation(0.1 * step) > 0.9 * variation(step)  # a low contrast is no merit
    assert variation(torch.full((1, 1, 1, 1), 0.5)).isfinite()


def test_jitter_is_seeded_and_finds_the_code_too():
    image, code = target()
    first, steps = search(Means(), code, (3, 16, 24), iterations=150, seed=0, jitter=2)
    again, _ = search(Means(), code, (3, 16, 24), iterations=150, seed=0, jitter=2)
    other, _ = search(Means(), code, (3, 16, 24), iterations=150, seed=3, jitter=2)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == image.shape and steps == 150
    start = (torch.full_like(image, 0.5) - image).norm()
    blurred = F.avg_pool2d(image, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert (first - blurred).norm() < 0.8 * start


@pytest.mark.parametrize(("pixels", "shape"), [(3, (9, 12)), (50, (4, 6)), (2, (1, 5))])
def test_a_shift_moves_every_pixel_alike_and_mirrors_the_border(pixels, shape):
    shift, image = gradient_search._Shift(pixels, seed=1), photo(*shape, batch=1)
    moved = [shift(image) for _ in range(20)]
    assert all(each.shape == image.shape for each in moved)
    values = {round(v, 6) for v in image[0, 0].flatten().tolist()}
    assert all({round(v, 6) for v in each[0, 0].flatten().tolist()} <= values for each in moved)
    assert (len({each.sum().item() for each in moved}) > 1) == (min(shape) > 1)
    assert torch.equal(gradient_search._Shift(0, seed=1)(image), image)
