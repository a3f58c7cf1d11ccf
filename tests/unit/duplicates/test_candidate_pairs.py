"""How alike copies must be follows from a picture's own look-alikes, and from nothing else."""

import cv2
import numpy as np
import pytest

from imrep.duplicates import candidate_pairs, search

WHITE = (255, 255, 255)


def digits(rng):
    """White on black, in several hands."""
    for k in range(100):
        image = np.zeros((64, 64, 3), np.uint8)
        place = int(rng.integers(14, 22)), int(rng.integers(46, 54))
        font, size = int(rng.choice([0, 2, 3, 4, 6, 7])), rng.uniform(1.4, 1.9)
        thick = int(rng.integers(3, 7))
        cv2.putText(image, str(k // 10), place, font, size, WHITE, thick, cv2.LINE_AA)
        matrix = cv2.getRotationMatrix2D((32, 32), rng.uniform(-12, 12), rng.uniform(0.85, 1.1))
        yield cv2.warpAffine(image, matrix, (64, 64))


def signs(rng):
    """A letter on a coloured disc or board, before something blurred."""
    colours = rng.integers(0, 255, (8, 3)).tolist()
    for k in range(80):
        ground = np.uint8(rng.integers(0, 255, (5, 5, 3)))
        image = cv2.resize(ground, (64, 64), interpolation=cv2.INTER_CUBIC)
        x, y = (32 + rng.integers(-4, 5, 2)).tolist()
        reach, colour = int(rng.integers(18, 26)), colours[k % 8]
        if k % 2:
            cv2.circle(image, (x, y), reach, colour, -1)
        else:
            cv2.rectangle(image, (x - reach, y - reach), (x + reach, y + reach), colour, -1)
        letter = chr(ord("A") + k % 8)
        cv2.putText(image, letter, (x - 10, y + 10), 0, reach / 22, WHITE, 3, cv2.LINE_AA)
        yield image * rng.uniform(0.6, 1) + rng.normal(0, 5, image.shape)


def products(rng):
    """Eight-cornered things on white, each seen from a little nearer, farther or turned."""
    shapes = rng.uniform(8, 22, (10, 8))
    colours, prints = rng.integers(20, 180, (10, 3)), rng.integers(0, 75, (10, 7, 7, 3))
    corners = np.arange(8) * np.pi / 4
    for k in range(80):
        angle, zoom = corners + rng.uniform(-0.25, 0.25), rng.uniform(0.85, 1.15)
        ends = (
            32
            + rng.uniform(-3, 3, 2)
            + zoom * shapes[k % 10][:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        )
        mask = cv2.fillPoly(np.zeros((64, 64), np.uint8), [ends.astype(np.int32)], 1)
        surface = colours[k % 10] + cv2.resize(np.uint8(prints[k % 10]), (64, 64))
        image = np.where(mask[..., None], np.roll(surface, rng.integers(-3, 4, 2), (0, 1)), 252)
        yield cv2.GaussianBlur(np.uint8(image), (0, 0), 0.7) * rng.uniform(0.9, 1)


def portraits(rng):
    """Heads before white in other light, turn and expression."""
    low, high = (150, 20, 13, 4, 0), (230, 120, 18, 8, 4)
    persons = rng.integers(low, high, (8, 5)).tolist()
    for k in range(48):
        skin, hair, wide, apart, brow = persons[k // 6]
        x, y = rng.integers(30, 34, 2).tolist()
        image = np.full((64, 64, 3), 245, np.uint8)
        cv2.ellipse(image, (x, y - 4), (wide + 3, 24), 0, 0, 360, (hair,) * 3, -1)
        cv2.ellipse(image, (x, y), (wide, 20), 0, 0, 360, (skin,) * 3, -1)
        for side in (-apart, apart):
            cv2.circle(image, (x + side, y - 4), 2, (30, 30, 30), -1)
            cv2.line(image, (x + side - 3, y - 9), (x + side + 3, y - 9 - brow), (hair,) * 3)
        end = int(rng.integers(20, 160))
        cv2.ellipse(image, (x, y + 8), (6, 3), 0, 0, end, (60, 30, 30), 1)
        light = np.linspace(rng.uniform(0.7, 1), rng.uniform(0.7, 1), 64)[:, None, None]
        yield image * light + rng.normal(0, 3, image.shape)


def clouds(rng):
    """Coloured noise, coarse and fine."""
    for _ in range(300):
        image = cv2.GaussianBlur(rng.normal(0, 1, (64, 64, 3)), (0, 0), rng.uniform(1, 6))
        yield 128 + 50 * image / image.std()


def scenes(rng):
    """Some discs and boards of any colour, one over the other."""
    for _ in range(300):
        image = np.full((64, 64, 3), rng.integers(0, 255, 3), np.uint8)
        for x, y, reach, *colour in rng.integers(
            (0, 0, 6, 0, 0, 0), (64, 64, 20, 255, 255, 255), (6, 6)
        ):
            cv2.circle(image, (int(x), int(y)), int(reach), [int(c) for c in colour], -1)
            ends = (int(y), int(x)), (int(y + reach), int(x + reach // 2))
            cv2.rectangle(image, *ends, [int(255 - c) for c in colour], -1)
        yield image


def drawn(kind, seed):
    pictures = np.array(list(kind(np.random.default_rng(seed))))
    return np.uint8(np.clip(pictures, 0, 255))


def darkened(pictures):
    """Shifted by two pixels, darker and compressed anew."""
    found = []
    for picture in pictures:
        moved = np.uint8(0.85 * np.roll(picture, 2, axis=(0, 1)))
        coded = cv2.imencode(".jpg", moved, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
        found.append(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    return np.array(found)


@pytest.mark.parametrize("kind", [digits, signs, portraits, products])
def test_unlike_pictures_change_no_group(kind):
    """Each kind with a copy of every ninth picture, alone and beside every other kind."""
    pictures = drawn(kind, 1)
    n, every = len(pictures), np.arange(0, len(pictures), 9)
    pictures = np.concatenate([pictures, darkened(pictures[every])])
    alone = search.find(pictures)
    np.testing.assert_array_equal(alone.component[every], alone.component[n:])
    for other in {digits, signs, portraits, products, clouds, scenes} - {kind}:
        among = search.find(np.concatenate([pictures, drawn(other, 2)]))
        beside = [edge for edge in among.edges if edge.j < len(pictures)]
        assert [(e.i, e.j) for e in beside] == [(e.i, e.j) for e in alone.edges], other.__name__


# Thresholds


@pytest.mark.parametrize(
    ("partners", "threshold"),
    [
        ((), 0.8),
        ((0.99, 0.98, 0.97, 0.96), 0.8),  # a burst: nothing lies between copies and the unlike
        ((0.9, 0.8, 0.65, 0.6), 0.8),  # strictly between
        ((0.9, 0.79), 0.8),  # no third
        ((0.9, 0.79, 0.7), 0.88),
        ((0.9, 0.79, 0.4), 0.8),
        ((0.99, 0.98, 0.97, 0.7), 0.95),
    ],
)
def test_the_third_look_alike_sets_the_threshold(partners, threshold):
    j = np.arange(1, len(partners) + 1)
    own = search._thresholds(np.zeros_like(j), j, np.array(partners), 9, 0.95)
    assert own[0] == pytest.approx(threshold)


def test_a_partner_in_both_orientations_is_one():
    i, j = np.zeros(4, int), np.array([1, 1, 2, 3])
    own = search._thresholds(i, j, np.array([0.9, 0.88, 0.79, 0.7]), 4, 0.95)
    assert own[0] == pytest.approx(1 - 0.4 * (1 - 0.7))


def test_smaller_pictures_must_agree_better():
    assert search._ceiling(64) == search._ceiling(32) == pytest.approx(0.95)
    assert 0.95 < search._ceiling(24) < search._ceiling(16) < 1


# Look-alikes


def test_look_alikes_are_the_same_whatever_lies_beside_them():
    pictures, asked = drawn(digits, 3), np.arange(0, 100, 10)
    alone = candidate_pairs.prepare(pictures)
    among = candidate_pairs.prepare(np.concatenate([pictures, drawn(clouds, 3)]))
    own = {(i, j) for i, j in _pairs(alone, asked) if max(i, j) < 100}
    beside = {(i, j) for i, j in _pairs(among, asked) if max(i, j) < 100}
    assert own == beside
    assert all(min(np.isin([i, j], asked).sum(), 1) for i, j in own)
    assert len(own) > len(asked)


def _pairs(pictures, asked):
    i, j, _ = candidate_pairs.split_keys(
        candidate_pairs.similar_pairs(pictures, asked), len(pictures.flat)
    )
    return zip(i.tolist(), j.tolist(), strict=True)


def test_a_darkened_copy_keeps_its_colours():
    """And a picture that is darker by chance, with another contrast, does not become one."""
    y, x = np.mgrid[:64, :64]
    bright = np.zeros((64, 64, 3))
    bright[..., 0], bright[..., 1], bright[..., 2] = 240, 60 + x, 40 + y
    other = bright.mean((0, 1)) + 2.5 * (bright - bright.mean((0, 1)))
    stack = np.uint8(np.clip([bright, 0.65 * bright, 0.65 * other], 0, 255))
    pictures = candidate_pairs.prepare(stack)
    first, second, third = np.array([[0], [1], [2]])
    assert pictures.chroma_agrees(first, second, False).all()
    assert pictures.chroma_agrees(second, first, False).all()
    assert not pictures.chroma_agrees(first, third, False).any()
