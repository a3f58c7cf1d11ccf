"""Controls see nothing of the picture's inside, and speak up only when they should."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from imrep import images
from imrep.comparison.data import controls, folds
from imrep.comparison.data.controls import Alarm, Score
from imrep.comparison.probes.classifier import cross_validate
from imrep.estimators.kernels import Kernels


@dataclass(frozen=True)
class File:
    width: int = 640
    height: int = 480
    bytes: int = 40_000
    type: str = "JPEG"
    mode: str = "RGB"
    quantisation: int = 900


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (60, 64, 64, 3), np.uint8)


# Noise


def test_noise_depends_on_the_image_and_not_on_its_index(pictures):
    codes, order = controls.noise(pictures), np.random.default_rng(1).permutation(60)
    assert codes.shape == (60, 64)
    assert codes.dtype == np.float32
    np.testing.assert_array_equal(controls.noise(pictures[order]), codes[order])
    np.testing.assert_array_equal(controls.noise(pictures[7:8])[0], codes[7])


def test_one_level_of_one_pixel_is_other_noise(pictures):
    changed = pictures.copy()
    changed[:, 30, 30, 1] ^= 1
    codes, others = controls.noise(pictures).ravel(), controls.noise(changed).ravel()
    assert abs(np.corrcoef(codes, others)[0, 1]) < 0.06  # 3.7 standard deviations of 3,840 pairs


def test_noise_is_normal(pictures):
    codes = controls.noise(pictures)
    assert abs(codes.mean()) < 0.06
    assert abs(codes.std() - 1) < 0.05
    assert abs(codes.T @ codes / 60 - np.eye(64)).max() < 0.7  # 60 images, 4,096 correlations


# Frame


@pytest.mark.parametrize(("side", "wide"), [(8, 1), (32, 3), (64, 5)])
def test_the_frame_is_the_outer_eight_per_cent(pictures, side, wide):
    small = pictures[:, :side, :side]
    codes = controls.frame(small)
    assert codes.shape == (60, 3 * (side**2 - (side - 2 * wide) ** 2))
    assert codes.dtype == np.float32
    blank = small.copy()
    blank[:, wide:-wide, wide:-wide] = 0
    np.testing.assert_array_equal(controls.frame(blank), codes)
    assert codes[0].sum() * 255 == pytest.approx(blank[0].sum(), rel=1e-5)


def test_a_large_frame_is_reduced(pictures):
    large = pictures.repeat(3, axis=1).repeat(3, axis=2)
    np.testing.assert_allclose(controls.frame(large), controls.frame(pictures), atol=1e-6)


# Files


def test_files_alike_in_everything_but_content_say_nothing():
    assert controls.file_facts([File(bytes=size) for size in (1, 2, 3)]) is None
    assert controls.file_facts([File()]) is None
    assert controls.file_facts([]) is None


def test_what_varies_is_a_standardised_column():
    files = [File(), File(width=1280), File(quantisation=90), File(type="PNG", quantisation=0)]
    codes = controls.file_facts(files)
    assert codes.shape == (4, 4)  # width, quantisation, JPEG or not, PNG or not; all else is equal
    assert codes.dtype == np.float32
    np.testing.assert_allclose(codes.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(codes.std(0), 1, atol=1e-6)
    np.testing.assert_array_equal(np.sign(codes[:, 0]), [-1, 1, -1, -1])
    np.testing.assert_allclose(codes[:, 2], -codes[:, 3], atol=1e-6)


def test_facts_of_the_reader_are_files(shared_data):
    file = next((shared_data / "classification/dtd_a/banded").glob("*.jpg"))
    facts = images.square(file, 64)[1]
    codes = controls.file_facts([facts, replace(facts, height=facts.height * 2)])
    np.testing.assert_allclose(codes, [[-1], [1]])


def test_bytes_are_a_row_of_their_own():
    files = [File(bytes=100), File(bytes=100, width=320), File(bytes=400)]
    codes = controls.file_bytes(files)
    assert codes.shape == (3, 2)
    assert codes[0, 0] == codes[1, 0] < codes[2, 0]
    assert codes[0, 1] < codes[1, 1] < codes[2, 1]
    np.testing.assert_array_equal(controls.file_bytes([File()] * 3), np.zeros((3, 2)))


# Alarms


FAIR = [100] * 10  # se = sqrt(0.1 * 0.9 / 100 / 10) = 0.0095
GOOD = [Score(0.6, 0.5), Score(0.55, 0.5), Score(0.4, 0.45)]


def ids(*args, **kwargs):
    return [alarm.control for alarm in controls.alarms(*args, **kwargs)]


def test_silence():
    guess = Score(0.1, 0.1)
    assert controls.alarms(FAIR, GOOD) == ()
    assert controls.alarms(FAIR, GOOD, noise=guess, file=guess, frame=guess, hog=guess) == ()


@pytest.mark.parametrize(("control", "limit"), [("noise", 5), ("file", 6)])
@pytest.mark.parametrize("counts", [FAIR, [400, 20, 20]])
def test_standard_errors_above_guessing(control, limit, counts):
    chance = 1 / len(counts)
    error = np.sqrt(np.mean([chance * (1 - chance) / n for n in counts]) / len(counts))
    just = chance + limit * error
    assert ids(counts, GOOD, **{control: Score(0, just - 1e-6)}) == []
    for score in (Score(0, just + 1e-6), Score(just + 1e-6, 0)):
        (alarm,) = controls.alarms(counts, GOOD, **{control: score})
        assert alarm == Alarm(control, score.best, chance)


def test_the_error_is_that_of_guessing():
    """Simulated: the spread of a balanced accuracy without any knowledge, unequal classes."""
    counts = np.array([100, 30, 10])
    rng, chance = np.random.default_rng(0), 1 / 3
    spread = np.std(np.mean([rng.binomial(n, chance, 20_000) / n for n in counts], axis=0))
    assert ids(counts, GOOD, noise=Score(0, chance + 4.9 * spread)) == []
    assert ids(counts, GOOD, noise=Score(0, chance + 5.1 * spread)) == ["noise"]


def test_the_frame_is_measured_against_the_best():
    (alarm,) = controls.alarms(FAIR, GOOD, frame=Score(0.3, 0.5))
    assert alarm.control == "frame"
    assert (alarm.score, alarm.share) == pytest.approx((0.5, 0.8))
    assert ids(FAIR, GOOD, frame=Score(0.46, 0.3)) == []  # 72 % of the way
    assert ids(FAIR, GOOD, frame=Score(0.4, 0.3), hog=Score(0.8, 0.6)) == []
    assert ids(FAIR, GOOD[2:], frame=Score(0.38, 0.3)) == ["frame"]


def test_a_frame_beside_candidates_that_see_nothing():
    blind = [Score(0.11, 0.1), Score(0.1, 0.1)]
    assert ids(FAIR, blind, frame=Score(0.4, 0.4)) == []
    assert ids(FAIR, [], frame=Score(0.4, 0.4)) == []


def test_repeats_take_three():
    ahead = [Score(0.5, 0.6), Score(0.4, 0.7), Score(0.3, 0.5)]
    start = len(GOOD)
    assert controls.neighbours_ahead([*GOOD, *ahead]) == [start, start + 1, start + 2]
    assert controls.neighbours_ahead([*GOOD, *ahead[:2], Score(0.5, 0.57)]) == []


def test_all_at_once_in_the_order_of_the_report():
    sure = Score(0.9, 0.9)
    repeated = [Score(0.3, 0.9)] * 3
    assert ids(FAIR, repeated, noise=sure, file=sure, frame=sure) == [*("noise", "file", "frame")]


# Real images


def scores(codes, labels):
    drawn = folds.split(labels, np.arange(len(labels)))
    seen = cross_validate(Kernels(codes, "control"), labels, np.arange(len(labels)), drawn)
    return Score(seen.accuracy(labels), seen.knn_accuracy(labels))


def squares(folder):
    files = sorted(folder.glob("*/*.*"))
    read = [images.square(file, 64) for file in files]
    labels = np.unique([file.parent.name for file in files], return_inverse=True)[1]
    return np.stack([square for square, _ in read]), [facts for _, facts in read], labels


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [[10] * 10, [60, 6]])
def test_noise_raises_at_most_one_alarm_in_a_hundred_folders(sizes):
    labels, alarms = np.repeat(np.arange(len(sizes)), sizes), 0
    for seed in range(100):
        codes = np.random.default_rng(seed).standard_normal((len(labels), 64)).astype(np.float32)
        alarms += bool(controls.alarms(sizes, [], noise=scores(codes, labels)))
    assert alarms <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "frame", "best", "said"),
    [
        ("cifar10", 30.4, 53, []),
        ("eurosat", 53.6, 80, []),
        ("dtd_a", 43.9, 78, ["file"]),
        ("caltech101_a", 45.2, 85, ["file"]),
        ("sign_digits", 21.1, 92, []),
        ("mnist", 33.0, 97, []),
        ("orl_faces_a", 98.9, 100, ["frame"]),
    ],
)
def test_alarms_of_the_shared_sets(shared_data, name, frame, best, said):
    """Noise within 5 standard errors everywhere; frame and best as the judge has them."""
    pictures, facts, labels = squares(shared_data / "classification" / name)
    outer, codes = scores(controls.frame(pictures), labels), controls.file_facts(facts)
    assert 100 * outer.best == pytest.approx(frame, abs=5)
    raised = controls.alarms(
        np.bincount(labels),
        [Score(best / 100, 0)],
        noise=scores(controls.noise(pictures), labels),
        frame=outer,
        file=None if codes is None else scores(codes, labels),
    )
    assert [alarm.control for alarm in raised] == said
