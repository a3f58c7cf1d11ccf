import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import imrep
from imrep.errors import BadImage, BadParameter, NotFitted
from imrep.represent.local.sift import aggregation, dense, vocabulary
from imrep.testing import photo


def _fitted(spec="sift:words=32", images=None):
    rep = imrep.get(spec)
    rep.fit(photo(64, 64, batch=6) if images is None else images)
    return rep


def test_dense_descriptors_resemble_opencvs():
    torch.manual_seed(4)
    image = photo(64, 64, batch=1, channels=1)
    code = imrep.get("sift").encode(image)
    gray = (image[0, 0] * 255).round().byte().numpy()
    # diameter s has bins of 1.5 s pixels; the blur it goes with is sigma 1.6, twice ours
    points = [cv2.KeyPoint(float(x), float(y), 4 / 1.5, 0) for x, y in code.xy[0]]
    described, theirs = cv2.SIFT.create().compute(gray, points)
    assert len(described) == len(points)
    theirs = np.sqrt(theirs / theirs.sum(1, keepdims=True).clip(1))
    ours = torch.nn.functional.normalize(code.values[0], dim=1).numpy()
    inside = ((code.xy[0] > 12) & (code.xy[0] < 52)).all(1).numpy()
    cosine = (ours * theirs).sum(1)[inside]
    assert np.median(cosine) > 0.9
    mirrored = ours.reshape(-1, 4, 4, 8)[:, :, ::-1].reshape(-1, 128)
    assert np.median(cosine) > np.median((mirrored * theirs).sum(1)[inside]) + 0.05


def test_descriptors_are_the_sums_that_the_paper_writes():
    image = torch.rand(1, 1, 40, 33)
    code = imrep.get("sift", step=7).encode(image)
    gx, gy = (g[0, 0].double().numpy() for g in dense.slopes(image))
    x0, y0 = code.xy[0, 8].tolist()
    raw = np.zeros((4, 4, 8))
    for y in range(40):
        for x in range(33):
            dx, dy = (x - x0) / 4, (y - y0) / 4
            size, angle = np.hypot(gx[y, x], gy[y, x]), np.arctan2(-gy[y, x], gx[y, x])
            window = np.exp(-(dx**2 + dy**2) / 8)
            for i, j, k in np.ndindex(4, 4, 8):
                share = max(0, 1 - abs(dy - i + 1.5)) * max(0, 1 - abs(dx - j + 1.5))
                distance = abs((angle * 4 / np.pi - k + 4) % 8 - 4)
                raw[i, j, k] += size * window * share * max(0, 1 - distance)
    unit = (raw / np.linalg.norm(raw)).clip(max=0.2)
    expected = np.sqrt(unit / unit.sum()).ravel()
    actual = torch.nn.functional.normalize(code.values[0, 8], dim=0).numpy()
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_faint_patches_fade_and_flat_ones_are_zero():
    rep = imrep.get("sift")
    image = photo(64, 64, batch=1)
    lengths = [rep.encode(0.5 + s * (image - 0.5)).values.norm(dim=2).mean() for s in (1, 0.1, 0)]
    assert lengths[0] > lengths[1] + 0.1
    assert lengths[2] == 0
    assert lengths[0] <= 1 + 1e-6


def test_runs_of_patches_join_without_a_seam():
    long = torch.rand(1, 1, 3, 5 * 40)
    code = imrep.get("sift").encode(long)
    for i in (15, 16, 33):  # around and beyond the first run of 16
        x = int(code.xy[0, i, 0])
        piece = long[..., x - 14 : x + 15]
        alone = imrep.get("sift", step=29).encode(piece)
        assert alone.xy[0, 0].tolist() == [14, 1]
        torch.testing.assert_close(alone.values[0, 0], code.values[0, i], atol=1e-5, rtol=0)


def test_shares_of_each_cell_sum_to_one():
    vector = _fitted().embed(photo(50, 70))
    assert vector.shape == (2, 32 * 5)
    sums = vector.square().unflatten(1, (5, 32)).sum(2)
    torch.testing.assert_close(sums, torch.ones(2, 5))
    assert _fitted("sift:words=8,grid=1").embed(photo(50, 70)).shape == (2, 8)


def test_cells_are_the_quarters_of_the_image():
    rep = _fitted()
    image = photo(64, 64, batch=1)
    cells = rep.embed(image).unflatten(1, (5, 32))[0]
    edited = image.clone()
    edited[..., 32:, 32:] = 0.5
    changed = (rep.embed(edited).unflatten(1, (5, 32))[0] - cells).abs().amax(1)
    assert changed[4] > 0.05
    assert changed[0] > 0.01
    assert changed[1] < changed[4] / 4  # patches reach a few pixels over the border


def test_fitting_does_not_depend_on_how_codes_are_batched():
    rep, again = imrep.get("sift:words=16"), imrep.get("sift:words=16")
    images = photo(64, 64, batch=6)
    rep.fit(images)
    again.fit(images.split([1, 4, 1]))
    torch.testing.assert_close(rep.codebook, again.codebook)
    assert rep.fitted


def test_words_lie_among_the_descriptors():
    rows = torch.cat([torch.randn(50, 4) * 0.01 + 5 * corner for corner in torch.eye(4)])
    rows = rows[torch.randperm(200)]
    centres = vocabulary.codebook(rows, 4 * 4)
    assert (torch.cdist(rows, centres).amin(1) < 0.1).all()
    few = vocabulary.codebook(rows[:3], 5)
    assert (torch.cdist(rows[:3], few).amin(1) < 1e-6).all()


def test_keypoints_are_opencvs():
    image = photo(80, 90, batch=2, channels=1)
    code = imrep.get("sift:detector=opencv").encode(image)
    assert code.values.shape[2] == 128
    for i in range(2):
        gray = (image[i, 0] * 255).round().byte().numpy()
        points, values = cv2.SIFT.create().detectAndCompute(gray, None)
        mine = code.values[i][code.present[i]]
        assert len(mine) == len(points) > 0
        torch.testing.assert_close(code.xy[i, : len(points)], torch.tensor([p.pt for p in points]))
        back = mine.square() * torch.from_numpy(values).sum(1, keepdim=True)
        np.testing.assert_allclose(back.numpy(), values, atol=1e-2)


def test_images_without_keypoints_give_a_zero_vector():
    rep = _fitted("sift:detector=opencv,words=8", photo(96, 96, batch=3))
    images = torch.stack([torch.full((3, 96, 96), 0.4), photo(96, 96, batch=1)[0]])
    vectors = rep.embed(images)
    assert vectors[0].abs().max() == 0
    assert vectors[1].abs().max() > 0
    with pytest.raises(
        BadImage, match="sift needs keypoints to fit its codebook on, got none in 1"
    ):
        imrep.get("sift:detector=opencv").fit(torch.zeros(1, 3, 40, 40))


@pytest.mark.parametrize("detector", ["dense", "opencv"])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2), (7, 9), (17, 16)])
def test_small_and_odd_images(detector, size):
    rep = _fitted(f"sift:words=8,detector={detector}", photo(96, 96, batch=3))
    image = torch.rand(2, 3, *size)
    assert rep.embed(image).isfinite().all()
    assert rep.picture(rep.encode(image), image).isfinite().all()


def test_unfitted_it_encodes_and_says_what_is_missing():
    rep = imrep.get("sift")
    assert rep.encode(photo()).values.shape == (2, 169, 128)
    assert rep.dim == 1280 and rep.needs_fit
    with pytest.raises(NotFitted, match="sift needs images to fit its codebook on"):
        rep.embed(photo())
    with pytest.raises(BadParameter, match="detector to be one of dense, opencv, got 'surf'"):
        imrep.get("sift", detector="surf")


@pytest.mark.parametrize("pooling", ["vlad", "fisher"])
def test_other_poolings_have_cells_of_length_one_and_keep_their_dim(pooling):
    rep = imrep.get("sift", pooling=pooling)
    before = rep.dim
    rep.fit(photo(64, 64, batch=6))
    vector = rep.embed(photo(50, 70))
    assert vector.shape == (2, before) and before == 16 * 32 * 5 * (2 if pooling == "fisher" else 1)
    torch.testing.assert_close(vector.unflatten(1, (5, -1)).norm(dim=2), torch.ones(2, 5))
    assert imrep.get("sift", pooling=pooling, words=4, grid=1).dim == before // 20
    flat = rep.embed(torch.full((1, 3, 40, 40), 0.5))
    assert flat.isfinite().all()


@pytest.mark.parametrize("pooling", ["vlad", "fisher"])
def test_images_without_keypoints_give_zero_in_every_pooling(pooling):
    rep = _fitted(f"sift:detector=opencv,words=2,pooling={pooling}", photo(96, 96, batch=3))
    vectors = rep.embed(torch.stack([torch.full((3, 96, 96), 0.4), photo(96, 96, batch=1)[0]]))
    assert vectors[0].abs().max() == 0 and vectors[1].abs().max() > 0


@pytest.mark.parametrize("pooling", ["vlad", "fisher"])
def test_gradients_of_other_poolings_reach_the_image(pooling):
    rep = _fitted(f"sift:words=3,pooling={pooling}")
    image = photo(40, 40, batch=1).requires_grad_()
    rep.embed(image).square().mul(torch.linspace(0, 1, rep.dim)).sum().backward()
    assert image.grad.isfinite().all() and image.grad.any()


@pytest.mark.parametrize("pooling", ["vlad", "fisher"])
def test_a_pooling_saves_what_it_learned(pooling, tmp_path):
    rep = _fitted(f"sift:words=3,pooling={pooling}")
    back = imrep.load(rep.save(tmp_path))
    assert back.fingerprint == rep.fingerprint
    torch.testing.assert_close(back.embed(photo()), rep.embed(photo()), rtol=0, atol=0)


def test_a_folder_of_revision_1_loads(tmp_path):
    rep = _fitted("sift:words=3")
    folder = rep.save(tmp_path)
    state = load_file(folder / "weights.safetensors")
    state["seen"] = state.pop("fitted_on")
    save_file(state, folder / "weights.safetensors")
    torch.testing.assert_close(imrep.load(folder).embed(photo()), rep.embed(photo()))


def test_words_of_none_are_256_and_keep_their_numbers():
    assert imrep.get("sift").dim == imrep.get("sift:words=256").dim == 1280
    with pytest.raises(BadParameter, match="words from 1 to 65536, got 0"):
        imrep.get("sift", words=0)
    with pytest.raises(BadParameter, match="pooling to be one of words, vlad, fisher, got 'bow'"):
        imrep.get("sift", pooling="bow")


def test_vlad_sums_residuals_as_the_paper_writes():
    rows, centres = torch.rand(30, 4, dtype=torch.float64), torch.rand(3, 4, dtype=torch.float64)
    weights = torch.stack([torch.full((30,), 1 / 30), torch.eye(30)[4]]).double()
    expected = torch.zeros(3, 4, dtype=torch.float64)
    for row in rows:
        k = (row - centres).norm(dim=1).argmin()
        expected[k] += (row - centres[k]) / 30
    rooted = (expected.sign() * expected.abs().sqrt()).flatten()
    vectors = aggregation.vlad(rows, weights, centres)
    torch.testing.assert_close(vectors[0], rooted / rooted.norm())
    assert int((vectors[1] != 0).sum()) == 4  # one row speaks of one word only


def test_fisher_is_the_gradient_of_the_log_likelihood():
    dice = torch.Generator().manual_seed(0)
    rows = torch.rand(40, 3, dtype=torch.float64, generator=dice)
    shares = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    means = torch.rand(3, 3, dtype=torch.float64, generator=dice).requires_grad_()
    deviations = (0.3 + torch.rand(3, 3, dtype=torch.float64, generator=dice)).requires_grad_()
    normal = torch.distributions.Normal(means, deviations)
    likelihood = (normal.log_prob(rows[:, None]).sum(2) + shares.log()).logsumexp(1).mean()
    by_mean, by_deviation = torch.autograd.grad(likelihood, [means, deviations])
    # Perronnin 2010: each is divided by the root of its Fisher information
    scaled = [by_mean * deviations / shares[:, None].sqrt()]
    scaled.append(by_deviation * deviations / (2 * shares[:, None]).sqrt())
    expected = torch.cat([part.detach().flatten() for part in scaled])
    expected = expected.sign() * expected.abs().sqrt()
    model = vocabulary.Mixture(shares, means.detach(), deviations.detach().square())
    vectors = aggregation.fisher(rows, torch.full((1, 40), 1 / 40, dtype=torch.float64), model)
    torch.testing.assert_close(vectors[0], expected / expected.norm())


def test_a_mixture_is_recovered():
    dice = torch.Generator().manual_seed(1)
    parts = [
        torch.randn(n, 2, generator=dice, dtype=torch.float64) * s + m
        for n, s, m in [(600, 0.5, 0.0), (300, 1.0, 6.0), (100, 0.8, -5.0)]
    ]
    rows = torch.cat(parts)
    model = vocabulary.mixture(rows, 3)
    order = model.means[:, 0].argsort()
    shares = torch.tensor([0.1, 0.6, 0.3]).double()
    torch.testing.assert_close(model.weights[order], shares, atol=0.02, rtol=0)
    expected = torch.tensor([0.64, 0.25, 1.0]).double()[:, None].expand(3, 2)
    torch.testing.assert_close(model.variances[order], expected, rtol=0.3, atol=0)
    torch.testing.assert_close(model.posterior(rows).sum(1), torch.ones(1000).double())
    few = vocabulary.mixture(rows[:2], 5)
    assert few.means.isfinite().all() and few.variances.min() > 0


def test_principal_axes_are_those_of_the_singular_values():
    rows = torch.randn(50, 6, dtype=torch.float64) * torch.tensor([5.0, 3, 2, 1, 0.5, 0.1])
    mean, axes = vocabulary.principal_axes(rows, 3)
    _, _, theirs = torch.linalg.svd(rows - rows.mean(0), full_matrices=False)
    torch.testing.assert_close(mean, rows.mean(0))
    torch.testing.assert_close(
        (axes @ theirs[:3].T).abs(), torch.eye(3).double(), atol=1e-8, rtol=0
    )
    assert (axes.gather(1, axes.abs().argmax(1, keepdim=True)) > 0).all()


def test_keypoints_have_opencvs_response_and_octave():
    spots = torch.rand(2, 3, 30, 40, generator=torch.Generator().manual_seed(0))
    image = torch.nn.functional.interpolate(spots, scale_factor=3, mode="bicubic").clamp(0, 1)
    image = (image * 255).round() / 255
    code = imrep.get("sift:detector=opencv").encode(image)
    for i, (red, green, blue) in enumerate(image):
        gray = ((0.299 * red + 0.587 * green + 0.114 * blue) * 255).round().byte().numpy()
        expected = cv2.SIFT.create().detect(gray, None)
        there = code.present[i]
        assert int(there.sum()) == len(expected) > 0
        response = [p.response for p in expected]
        torch.testing.assert_close(code.response[i][there], torch.tensor(response))
        octave = [p.octave & 255 for p in expected]
        octave = [o - 256 if o > 127 else o for o in octave]
        assert code.octave[i][there].tolist() == octave and min(octave) == -1
    best = code.sort("response").first(5)
    assert best.response.shape == (2, 5)
    assert (best.response.diff(dim=1) <= 0).all()
    assert {"response", "octave"} <= code.columns().keys()


def test_points_without_a_detectors_word_have_no_such_column():
    code = imrep.get("sift").encode(photo())
    assert code.response is None and code.octave is None
    assert "octave" not in code.columns() and len(code.first(3)) == 2
