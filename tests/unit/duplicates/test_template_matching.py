"""The correlations are OpenCV's, and detail is compared where detail is."""

import cv2
import numpy as np
import pytest

from imrep.duplicates import template_matching


@pytest.fixture(scope="module")
def thumbs():
    noise = np.random.default_rng(0).normal(0, 60, (20, 32, 32)).astype(np.float32)
    return np.array([cv2.GaussianBlur(one, (0, 0), 1.5) + 100 for one in noise])


def best_match(part, whole):
    scores = cv2.matchTemplate(
        np.ascontiguousarray(whole), np.ascontiguousarray(part), cv2.TM_CCOEFF_NORMED
    )
    _, value, _, (x, y) = cv2.minMaxLoc(scores)
    return value, whole[y : y + 24, x : x + 24]


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("mirrored", [False, True])
def test_sliding_is_match_template(thumbs, kind, mirrored):
    ready = template_matching.prepare(thumbs)
    part, whole = ready.pick(np.arange(10)), ready.pick(np.arange(10, 20))
    if mirrored:
        part, whole = part.mirrored(), whole.mirrored()
    best = template_matching._match(part, kind, whole)
    v, p, q = best.v, best.p, best.q
    for k in range(10):
        value, window = best_match(part.templates[k, kind], whole.pixels[k])
        assert v[k] == pytest.approx(value, abs=1e-5)
        np.testing.assert_array_equal(q[k], window)
        np.testing.assert_array_equal(p[k], part.templates[k, kind])


def test_the_mirror_image_is_prepared_as_any_other(thumbs):
    mirrored, again = (
        template_matching.prepare(thumbs).mirrored(),
        template_matching.prepare(thumbs[:, :, ::-1]),
    )
    for name, value in vars(again).items():
        np.testing.assert_allclose(
            getattr(mirrored, name), value, rtol=1e-4, atol=1e-2, err_msg=name
        )


def test_a_thumbnail_lies_on_itself(thumbs):
    ready = template_matching.prepare(thumbs)
    best = template_matching.align(ready, ready)
    np.testing.assert_allclose(best.v, 1, atol=1e-5)
    np.testing.assert_array_equal(best.p, best.q)
    assert not best.shift.any()
    assert (best.zoom == 1).all()


def test_a_shift_is_undone(thumbs):
    wide = np.pad(thumbs, ((0, 0), (3, 0), (2, 0)), mode="edge")[:, :32, :32]
    first, second = template_matching.prepare(thumbs), template_matching.prepare(wide)
    best = template_matching.align(first, second)
    p, q = best.p, best.q
    np.testing.assert_allclose(best.v, 1, atol=1e-5)
    assert (best.shift == (2, 3)).all()  # right, down
    assert (template_matching.align(second, first).shift == (-2, -3)).all()
    np.testing.assert_allclose(p - p.mean((1, 2), keepdims=True), q - q.mean((1, 2), keepdims=True),
                               atol=1e-3)  # fmt: skip


def test_doubt_tries_the_shrunk_picture(thumbs):
    crops = np.array([cv2.resize(one[2:-2, 2:-2], (32, 32)) for one in thumbs])
    whole, crop = template_matching.prepare(thumbs), template_matching.prepare(crops)
    doubtful, best = (
        template_matching._match(whole, 0, crop).v,
        template_matching.align(whole, crop),
    )
    v = best.v
    shown = (doubtful >= template_matching.MIN_CORRELATION) & (doubtful < 0.98)
    assert shown.any()
    assert (v[shown] > doubtful[shown]).all()
    np.testing.assert_allclose(best.zoom[shown], 8 / 7)
    hopeless = doubtful < template_matching.MIN_CORRELATION
    np.testing.assert_array_equal(v[hopeless], doubtful[hopeless])


def test_nothing_correlates_with_a_constant(thumbs):
    plain = template_matching.prepare(np.full((20, 32, 32), 80, np.float32))
    best = template_matching.align(plain, template_matching.prepare(thumbs))
    assert abs(best.v).max() < 0.01
    assert template_matching.fine(best.p, best.q).max() < 0.01
    assert template_matching.blockwise(best.p, best.q).max() < 0.01


def test_detail_ignores_light_and_blocks_ignore_a_sticker(thumbs):
    p = thumbs[:, 4:28, 4:28]
    slope = np.linspace(0, 40, 24, dtype=np.float32)
    lit = p + slope
    assert template_matching.fine(p, lit).min() > 0.95
    covered = p.copy()
    covered[:, :8, :16] = 255  # two of nine blocks
    assert template_matching.blockwise(p, covered).min() > 0.98
    assert template_matching.fine(p, covered).max() < 0.95
