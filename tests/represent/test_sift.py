import cv2
import numpy as np
import pytest
import torch

import imrep
from imrep.errors import BadImage, BadParameter, NotFitted
from imrep.represent.local import sift as module
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
    kept, theirs = cv2.SIFT.create().compute(gray, points)
    assert len(kept) == len(points)
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
    gx, gy = (g[0, 0].double().numpy() for g in module._slopes(image))
    x0, y0 = code.xy[0, 8].tolist()
    raw = np.zeros((4, 4, 8))
    for y in range(40):
        for x in range(33):
            dx, dy = (x - x0) / 4, (y - y0) / 4
            size, turn = np.hypot(gx[y, x], gy[y, x]), np.arctan2(-gy[y, x], gx[y, x])
            window = np.exp(-(dx**2 + dy**2) / 8)
            for i, j, k in np.ndindex(4, 4, 8):
                near = max(0, 1 - abs(dy - i + 1.5)) * max(0, 1 - abs(dx - j + 1.5))
                away = abs((turn * 4 / np.pi - k + 4) % 8 - 4)
                raw[i, j, k] += size * window * near * max(0, 1 - away)
    unit = (raw / np.linalg.norm(raw)).clip(max=0.2)
    wanted = np.sqrt(unit / unit.sum()).ravel()
    got = torch.nn.functional.normalize(code.values[0, 8], dim=0).numpy()
    np.testing.assert_allclose(got, wanted, atol=1e-5)


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
    other = image.clone()
    other[..., 32:, 32:] = 0.5
    changed = (rep.embed(other).unflatten(1, (5, 32))[0] - cells).abs().amax(1)
    assert changed[4] > 0.05
    assert changed[0] > 0.01
    assert changed[1] < changed[4] / 4  # patches reach a few pixels over the border


def test_fitting_does_not_depend_on_how_codes_are_batched():
    rep, other = imrep.get("sift:words=16"), imrep.get("sift:words=16")
    images = photo(64, 64, batch=6)
    rep.fit(images)
    other.fit(images.split([1, 4, 1]))
    torch.testing.assert_close(rep.codebook, other.codebook)
    assert rep.fitted


def test_words_lie_among_the_descriptors():
    rows = torch.cat([torch.randn(50, 4) * 0.01 + 5 * corner for corner in torch.eye(4)])
    rows = rows[torch.randperm(200)]
    centres = module._means(rows, 4 * 4)
    assert (torch.cdist(rows, centres).amin(1) < 0.1).all()
    few = module._means(rows[:3], 5)
    assert torch.equal(few[3:], few[:2]) and torch.equal(few[:3], rows[:3])


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
    both = torch.stack([torch.full((3, 96, 96), 0.4), photo(96, 96, batch=1)[0]])
    vectors = rep.embed(both)
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
