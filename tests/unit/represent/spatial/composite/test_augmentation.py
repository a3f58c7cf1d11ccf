import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import person

from imrep.represent.spatial.composite import COCO, Instance
from imrep.represent.spatial.composite.augmentation import augmented, centred

ALL = ("resized_crop", "flip", "rotate", "jitter")
NONE = Instance(np.zeros((17, 3)), (5, 5, 20, 20))


def dots(instance, height=180, width=240):
    """An image that is black but for a blurred dot of each joint, all of one gray."""
    y, x = np.mgrid[:height, :width]
    image = np.zeros((height, width))
    for u, v, _ in instance.keypoints:
        image = np.maximum(image, 255 * np.exp(-((x - u) ** 2 + (y - v) ** 2) / 8))
    return torch.from_numpy(image.round().astype(np.uint8)).expand(3, -1, -1).contiguous()


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([97, 193]))
def test_joints_go_where_their_pixels_go(seed, side):
    instance = person(70, 25, 130)
    names = ("resized_crop", "flip", "rotate")
    own = augmented(dots(instance), [instance], COCO, side, np.random.default_rng(seed), names)
    (moved,) = own.instances
    inside = ((moved.keypoints[:, :2] > 3) & (moved.keypoints[:, :2] < side - 4)).all(1)
    columns, rows = moved.keypoints[inside, :2].round().astype(int).T
    assert inside.sum() > 5
    assert own.pixels[0, rows, columns].min() > 100


def test_a_mirror_swaps_left_and_right():
    instance = person(70, 25, 130)
    image = dots(instance)
    mirrored = plain = None
    for seed in range(40):
        own = augmented(image, [instance], COCO, 97, np.random.default_rng(seed), ("flip",))
        shoulders = own.instances[0].keypoints[[5, 6], 0]
        if shoulders[0] < shoulders[1]:
            plain = own
        else:
            mirrored = own
    # COCO's pose faces away: its left is at the left. In a mirror it is again, by another name.
    assert mirrored is None and plain is not None
    flips = [
        augmented(image, [instance], COCO, 97, np.random.default_rng(s), ("flip",))
        for s in range(40)
    ]
    eyes = {tuple(own.instances[0].keypoints[1, :2].round(3)) for own in flips}
    assert len(eyes) == 2
    original = centred(image, [instance], 97).instances[0].keypoints[:, 0]
    other = next(o for o in flips if abs(o.instances[0].keypoints[1, 0] - original[1]) > 1e-3)
    assert np.allclose(other.instances[0].keypoints[:, 0], 96 - original[list(COCO.swapped)])


def test_the_same_seed_gives_the_same_square_and_another_one_another():
    instance = person(70, 25, 130)
    first, again, other = (
        augmented(dots(instance), [instance], COCO, 97, np.random.default_rng(seed), ALL)
        for seed in (1, 1, 2)
    )
    assert torch.equal(first.pixels, again.pixels)
    assert not torch.equal(first.pixels, other.pixels)


def test_without_strength_it_is_the_centred_square():
    instance = person(70, 25, 130)
    image = torch.randint(0, 256, (3, 180, 240), dtype=torch.uint8)
    own = augmented(image, [instance], COCO, 97, np.random.default_rng(3), ALL, strength=0)
    expected = centred(image, [instance], 97)
    assert (own.pixels.int() - expected.pixels.int()).abs().max() <= 1  # colours are rounded
    assert np.allclose(own.instances[0].keypoints, expected.instances[0].keypoints)


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (300, 5), (900, 1400)])
@pytest.mark.parametrize("instances", [[], [NONE], [person(2, 1, 3)], [person(-500, 900, 40)]])
def test_any_image_and_instance_gives_a_square(size, instances):
    image = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
    for seed in range(3):
        own = augmented(image, instances, COCO, 65, np.random.default_rng(seed), ALL)
        assert own.pixels.shape == (3, 65, 65) and own.pixels.dtype == torch.uint8
        assert len(own.instances) == len(instances)
        left, top, right, bottom = own.valid
        assert 0 <= left <= right <= 64 and 0 <= top <= bottom <= 64


def test_of_two_instances_the_square_is_around_either():
    pair = [person(10, 20, 100), person(180, 25, 100)]
    image = dots(pair[0])
    centres = set()
    for seed in range(20):
        own = augmented(image, pair, COCO, 97, np.random.default_rng(seed), ())
        centres |= {
            i for i, x in enumerate(own.instances) if abs(x.keypoints[:, 0].mean() - 48) < 12
        }
    assert centres == {0, 1}
