"""Near-duplicates are detected, and merely similar images are not joined."""

import cv2
import numpy as np
import pytest

from imrep import images
from imrep.comparison.data import folds
from imrep.duplicates import aligned_pairs, candidate_pairs, search
from imrep.duplicates.search import Duplicates, Edge
from imrep.errors import BadParameter


def squares(folder, step=1, start=0):
    files = sorted(folder.glob("*/*.*"))[start::step]
    return np.stack([images.square(file, 64)[0] for file in files]), [f.parent.name for f in files]


@pytest.fixture(scope="module")
def textures():
    """Smooth coloured noise: pictures that share nothing."""
    noise = np.random.default_rng(1).normal(0, 1, (40, 64, 64, 3)).astype(np.float32)
    smooth = [cv2.GaussianBlur(one, (0, 0), 4) for one in noise]
    return np.array([cv2.normalize(s, None, 20, 235, cv2.NORM_MINMAX) for s in smooth], np.uint8)


def shifted(image, by):
    matrix = np.array([[1.0, 0, by], [0, 1, by]])
    return cv2.warpAffine(image, matrix, (64, 64), borderMode=cv2.BORDER_REFLECT_101)


def compressed(image, quality):
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]


def turned(image, degrees):
    matrix = cv2.getRotationMatrix2D((31.5, 31.5), degrees, 1)
    return cv2.warpAffine(image, matrix, (64, 64), borderMode=cv2.BORDER_REFLECT_101)


COPY = {
    "shift": lambda image, rng: shifted(image, 4),
    "combo": lambda image, rng: compressed(np.uint8(0.92 * shifted(image, 2)), 60),
    "jpeg": lambda image, rng: compressed(image, 40),
    "darker": lambda image, rng: np.uint8(0.7 * image),
    "mirror": lambda image, rng: image[:, ::-1],
    "half": lambda image, rng: cv2.resize(cv2.pyrDown(image), (64, 64)),
    "noise": lambda image, rng: np.uint8(np.clip(image + rng.normal(0, 10, image.shape), 0, 255)),
    "crop": lambda image, rng: cv2.resize(image[3:-3, 3:-3], (64, 64)),
    "turn": lambda image, rng: turned(image, 3),
}


def planted(originals, kind, rng):
    return np.array([COPY[kind](image, rng) for image in originals], np.uint8)


def recall(pictures, chosen, kind):
    """Share of the chosen whose copy, put behind all pictures, lands in their group."""
    copies = planted(pictures[chosen], kind, np.random.default_rng(0))
    component = search.find(np.concatenate([pictures, copies])).component
    return np.mean(component[chosen] == component[len(pictures) :])


# Laws


def test_unrelated_images_stay_single(textures):
    found = search.find(textures)
    assert found.edges == ()
    np.testing.assert_array_equal(found.component, np.arange(40))
    assert found.largest == 1
    assert not found.flat.any()


@pytest.mark.parametrize("kind", sorted(COPY.keys() - {"turn"}))  # turned noise is other noise
def test_every_kind_of_duplicate_is_detected(textures, kind):
    assert recall(textures, np.arange(0, 40, 3), kind) == 1


def test_mirror_images_are_detected_and_marked(textures):
    found = search.find(np.concatenate([textures, textures[:10, :, ::-1]]))
    assert [(e.i, e.j) for e in found.edges] == [(i, 40 + i) for i in range(10)]
    assert all(e.mirrored and not e.identical and e.v > 0.999 for e in found.edges)


@pytest.mark.parametrize("reverse", [False, True])
def test_an_edge_tells_how_the_second_differs_from_the_first(textures, reverse):
    """Whichever of the two comes first, in the folder or by its digest."""
    sign = -1 if reverse else 1
    for k in range(6):
        picture, other = textures[k], textures[k + 10 : k + 20]
        moved = shifted(picture, 4)
        cases = {
            "moved": moved,
            "darker": np.uint8(0.7 * picture),
            "mirror": np.ascontiguousarray(moved[:, ::-1]),
            "crop": cv2.resize(picture[3:-3, 3:-3], (64, 64)),
        }
        edges = {}
        for name, copy in cases.items():
            pair = [copy, picture] if reverse else [picture, copy]
            (edges[name],) = search.find(np.stack([*pair, *other])).edges
        assert edges["moved"].shift == (sign / 16, sign / 16)
        assert edges["darker"].brightness == pytest.approx(0.7**sign, rel=0.03)
        assert edges["darker"].shift == (0, 0)
        assert edges["mirror"].mirrored
        # mirrored, the copy's content lies to the right in either order
        assert edges["mirror"].shift == (1 / 16, sign / 16)
        assert edges["crop"].zoom == pytest.approx((8 / 7) ** sign, rel=1e-6)


def test_the_order_of_images_permutes_the_groups(shared_data):
    pictures, _ = squares(shared_data / "classification/mnist", 4)
    order = np.random.default_rng(0).permutation(len(pictures))
    straight, mixed = search.find(pictures), search.find(pictures[order])
    assert straight.edges
    back = {frozenset(int(order[i]) for i in group) for group in mixed.groups()}
    assert back == {frozenset(group) for group in straight.groups()}
    edges = {(*sorted((int(order[e.i]), int(order[e.j]))), e.v, e.hn) for e in mixed.edges}
    assert edges == {(e.i, e.j, e.v, e.hn) for e in straight.edges}


def test_equal_pixels_are_always_joined(textures):
    plain = np.full((3, 64, 64, 3), 255, np.uint8)
    plain[2] = 254
    found = search.find(np.concatenate([textures[:5], textures[:2], plain]))
    assert found.groups() == [[0, 5], [1, 6], [7, 8]]
    assert all(edge.identical and edge.hn == edge.v == 1 for edge in found.edges)
    np.testing.assert_array_equal(np.flatnonzero(found.flat), [7, 8, 9])


def test_a_hundred_repeats_are_one_group(textures):
    found = search.find(np.concatenate([textures, np.repeat(textures[3:4], 100, 0)]))
    assert found.largest == 101
    assert found.groups() == [[3, *range(40, 140)]]


def test_equal_digests_are_joined(textures):
    digests = ["same" if i in (4, 30) else f"{i}" for i in range(40)]
    found = search.find(textures, digests)
    assert found.edges == (Edge(4, 30, 1.0, 1.0, False, True, same_file=True),)
    assert search.find(textures, [""] * 40).edges == ()  # of files that were never read


def test_a_different_colour_is_a_different_image(textures):
    red = textures[:8].copy()
    red[..., 0] = np.minimum(red[..., 0].astype(int) + 60, 255)
    red[..., 1] = np.maximum(red[..., 1].astype(int) - 30, 0)  # luminance is about kept
    assert search.find(np.concatenate([textures, red])).edges == ()


def test_blocks_change_nothing(textures, monkeypatch):
    pictures = np.concatenate(
        [textures, planted(textures[:20], "combo", None), textures[:, :, ::-1]]
    )
    whole = search.find(pictures)
    monkeypatch.setattr(candidate_pairs, "_ROW_BATCH", 7)
    monkeypatch.setattr(aligned_pairs, "_PAIR_BATCH", 5)
    monkeypatch.setattr(aligned_pairs, "_TEMPLATE_BATCH", 30)
    parts = search.find(pictures)
    assert [(e.i, e.j, e.mirrored) for e in parts.edges] == [
        (e.i, e.j, e.mirrored) for e in whole.edges
    ]
    np.testing.assert_array_equal(parts.component, whole.component)


def test_candidates_are_the_four_nearest_above_the_threshold():
    rng = np.random.default_rng(0)
    views = candidate_pairs.unit(rng.normal(size=(50, 6)).astype(np.float32))
    cosines = views @ views.T
    np.fill_diagonal(cosines, -1)
    nearest = np.argsort(-cosines, 1)[:, :4]
    wanted = {(i, int(j)) for i in range(50) for j in nearest[i] if cosines[i, j] > 0.7}
    got = {
        (int(i), int(j))
        for a, b in candidate_pairs.Neighbours("layout", False, views, views).nearest()
        for i, j in zip(a, b, strict=True)
    }
    assert got == wanted


def test_descriptors_of_a_mirrored_thumbnail(textures):
    thumbs = candidate_pairs.prepare(iter(textures)).luminance
    there = candidate_pairs.describe(np.ascontiguousarray(thumbs[:, :, ::-1]))
    for name, view in candidate_pairs.describe(thumbs).items():
        np.testing.assert_allclose(
            candidate_pairs.mirror(name, view), there[name], rtol=1e-3, atol=2e-3
        )


def test_weak_chains_break_and_bursts_stay():
    weak = [Edge(i, i + 1, 0.95, 0.9, False, False) for i in range(20)]
    burst = [Edge(i, i + 1, 0.99, 0.98, False, False) for i in range(30, 59)]
    pair = [Edge(70, 71, 0.95, 0.85, False, False)]
    kept = search._without_chains(weak + burst + pair, 100)
    assert kept == burst + pair
    assert search._without_chains(weak, 3000) == []  # however many images lie beside them


# The answer


def test_groups_and_counts():
    edges = (Edge(0, 2, 0.9, 0.9, False, False), Edge(2, 3, 1, 1, False, True))
    copies = Duplicates(edges, np.array([0, 1, 0, 0]), np.array([False, True, False, False]))
    assert copies.groups() == [[0, 2, 3]]
    assert copies.images == copies.largest == 3
    assert copies.across(["cat", "dog", "dog", "dog"]) == edges[:1]


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_folders_too_small_for_four_neighbours(textures, n):
    found = search.find(textures[:n])
    assert found == search.Duplicates((), found.component, found.flat)
    assert len(found.component) == len(found.flat) == n
    assert found.largest == min(n, 1)


def test_a_folder_of_blanks():
    found = search.find(np.arange(3, dtype=np.uint8).repeat(16 * 16 * 3).reshape(3, 16, 16, 3))
    assert (found.images, found.largest, found.flat.sum()) == (0, 1, 3)


@pytest.mark.parametrize("side", [16, 33, 100])
def test_any_size(textures, side):
    pictures = np.array([cv2.resize(one, (side, side)) for one in textures])
    found = search.find(np.concatenate([pictures, pictures[:6, :, ::-1]]))
    assert found.groups() == [[i, 40 + i] for i in range(6)]


def test_progress_rises_to_one(textures):
    told = []
    search.find(np.concatenate([textures, textures[:, :, ::-1]]), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_one_digest_each(textures):
    with pytest.raises(BadParameter, match="each of 40 images, got 1"):
        search.find(textures, ["a"])


# Real images


def test_mnist_does_not_chain(shared_data):
    pictures, labels = squares(shared_data / "classification/mnist")
    found = search.find(pictures)
    assert found.largest <= 10
    assert 30 <= found.images <= 45  # ones that are alike
    assert found.across(labels) == ()


@pytest.mark.parametrize(
    ("name", "kind", "least"),
    [
        ("cifar10", "combo", 0.98),
        ("cifar10", "jpeg", 0.98),
        ("cifar10", "turn", 0.98),
        ("caltech101_a", "combo", 0.98),
        ("caltech101_a", "shift", 0.9),
        ("orl_faces_a", "combo", 0.98),
        ("dtd_a", "half", 0.9),
        ("dtd_a", "darker", 0.95),
        ("caltech101_a", "darker", 0.95),
        ("orl_faces_a", "crop", 0.85),
    ],
)
def test_planted_duplicates_are_detected(shared_data, name, kind, least):
    pictures, _ = squares(shared_data / "classification" / name, 1 if name == "orl_faces_a" else 3)
    assert recall(pictures, np.arange(0, len(pictures), 4), kind) >= least


def test_a_burst_stays_one_group(shared_data):
    pictures, _ = squares(shared_data / "classification/caltech101_a", 2)
    rng = np.random.default_rng(0)
    frames = [shifted(pictures[7], by) for by in np.linspace(0, 2, 30)]
    burst = np.uint8(np.clip(frames + rng.normal(0, 3, (30, 64, 64, 3)), 0, 255))
    found = search.find(np.concatenate([pictures, burst]))
    assert len(set(found.component[len(pictures) :])) == 1
    assert found.largest >= 30


def test_other_views_of_an_object_are_no_duplicates(shared_data):
    files = sorted((shared_data / "retrieval/ukbench_a").glob("*.jpg"))
    pictures = np.stack([images.square(file, 64)[0] for file in files])
    found = search.find(pictures)
    assert all(edge.i // 4 == edge.j // 4 for edge in found.edges)  # four views an object
    assert found.images <= 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "grouped", "largest"),
    [
        ("cifar10", 9, 3),
        ("eurosat", 4, 4),
        ("dtd_a", 16, 2),
        ("caltech101_a", 6, 2),
        ("sign_digits", 0, 1),
        ("mnist", 35, 5),
        ("orl_faces_a", 38, 3),
    ],
)
def test_real_sets_hold_few_duplicates(shared_data, name, grouped, largest):
    """Of faces, shots of one person; of digits, ones. None joins two classes."""
    pictures, labels = squares(shared_data / "classification" / name)
    found = search.find(pictures)
    assert found.images == pytest.approx(grouped, abs=2)
    assert found.largest <= largest
    assert found.across(labels) == ()


@pytest.mark.slow
def test_a_data_set_has_the_same_groups_beside_six_others(shared_data):
    names = ("cifar10", "mnist", "orl_faces_a", "sign_digits", "caltech101_a", "dtd_a", "eurosat")
    sets = [squares(shared_data / "classification" / name)[0] for name in names]
    together, start, alone = search.find(np.concatenate(sets)), 0, []
    for pictures in sets:
        alone += [(e.i + start, e.j + start, e.hn) for e in search.find(pictures).edges]
        start += len(pictures)
    assert [(e.i, e.j) for e in together.edges] == [(i, j) for i, j, _ in alone]
    np.testing.assert_allclose([e.hn for e in together.edges], [hn for *_, hn in alone], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("cifar10", 0.98),
        ("eurosat", 0.8),
        ("dtd_a", 0.8),
        ("caltech101_a", 0.97),
        ("sign_digits", 0.95),
        ("mnist", 0.97),
        ("orl_faces_a", 0.97),
    ],
)
def test_bursts_are_joined(shared_data, name, least):
    """Ten frames each: moved by up to two pixels, zoomed and turned a little, with noise, JPEG."""
    pictures, _ = squares(shared_data / "classification" / name)
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(pictures), 16, replace=False)
    frames = np.array([_frame(pictures[k], rng) for k in chosen for _ in range(10)])
    others = np.delete(pictures, chosen, axis=0)
    component = search.find(np.concatenate([others, frames])).component[len(others) :]
    largest = [np.bincount(burst).max() for burst in component.reshape(16, 10)]
    assert np.mean(largest) / 10 >= least


def _frame(image, rng):
    turn, zoom = rng.uniform(-1.15, 1.15), rng.uniform(0.98, 1.02)  # both of 4 %, end to end
    matrix = cv2.getRotationMatrix2D((31.5, 31.5), turn, zoom)
    matrix[:, 2] += rng.uniform(-2, 2, 2)
    moved = cv2.warpAffine(image, matrix, (64, 64), borderMode=cv2.BORDER_REFLECT_101)
    noisy = moved * rng.uniform(0.94, 1.06) + rng.normal(0, 3, image.shape)
    return compressed(np.uint8(np.clip(noisy, 0, 255)), 80)


@pytest.mark.slow
def test_groups_remove_the_bias_of_duplicates(shared_data):
    """kNN on pixels: clean, with a copy of every image, and with copies kept in one fold."""
    pictures, names = squares(shared_data / "classification/cifar10", 2)
    labels = np.unique(names, return_inverse=True)[1]
    copies = planted(pictures, "combo", None)
    both, twice = np.concatenate([pictures, copies]), np.concatenate([labels, labels])
    found = search.find(both)
    n = len(pictures)
    assert np.mean(found.component[:n] == found.component[n:]) >= 0.98
    clean = _nearest_accuracy(pictures, labels, np.arange(n))
    flattered = _nearest_accuracy(both, twice, np.arange(2 * n))
    honest = _nearest_accuracy(both, twice, found.component)
    assert flattered > clean + 0.2
    assert honest == pytest.approx(clean, abs=0.03)


def _nearest_accuracy(pictures, labels, groups, k=20):
    small = np.array([cv2.resize(one, (32, 32), interpolation=cv2.INTER_AREA) for one in pictures])
    z = small.reshape(len(small), -1).astype(np.float32)
    hits = np.zeros(len(labels), bool)
    for train, test in folds.split(labels, groups):
        centred = z - z[train].mean(0)
        unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
        alike = unit[test] @ unit[train].T
        best = np.argpartition(-alike, k, 1)[:, :k]
        votes = np.exp(np.take_along_axis(alike, best, 1) / 0.07)
        score = np.stack([(votes * (labels[train][best] == c)).sum(1) for c in range(10)], 1)
        hits[test] = score.argmax(1) == labels[test]
    return hits.mean()
