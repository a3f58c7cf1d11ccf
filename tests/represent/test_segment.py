"""Segmentation: repeatable k-means, partitions that are partitions, contours and borders."""

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.segmentation import slic

import imrep
from imrep.codes import Regions
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.io import codes
from imrep.ops import regions
from imrep.ops.kmeans import _plusplus, kmeans
from imrep.testing import photo


def chequered(*colours, side=8):
    """Vertical stripes of plain colours, (1, 3, 2 side, side * stripes)."""
    stripes = [
        torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 2 * side, side) for colour in colours
    ]
    return torch.cat(stripes, dim=3)


RED, GREEN, BLUE = (0.9, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.9)


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 10**6), st.data())
@settings(max_examples=40)
def test_kmeans_is_a_fixed_point_of_lloyds_step(n, d, seed, data):
    rows = torch.rand(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    count = data.draw(st.integers(1, n))
    centres, labels = kmeans(rows, count, iterations=200, seed=seed)
    distance = torch.cdist(rows, centres)
    torch.testing.assert_close(distance.gather(1, labels[:, None])[:, 0], distance.amin(1))
    for k in range(count):
        assert (labels == k).any(), "rows are all different: no centre need be empty"
        torch.testing.assert_close(centres[k], rows[labels == k].mean(0))


def test_kmeans_descends_to_opencvs_compactness_from_the_same_centres():
    pixels = skimage.data.astronaut()[::4, ::4].reshape(-1, 3).astype(np.float32)
    first = pixels[::3000][:5]
    labels = ((pixels[:, None] - first) ** 2).sum(2).argmin(1).astype(np.int32)[:, None]
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 60, 0)
    theirs, found, centres = cv2.kmeans(
        pixels, 5, labels, criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS
    )
    rows = torch.from_numpy(pixels)
    mine, numbers = kmeans(rows, 5, start=torch.from_numpy(first), iterations=60)
    np.testing.assert_allclose(mine.numpy(), centres, atol=0.05)
    assert (numbers.numpy() != found[:, 0]).mean() < 1e-3
    assert (rows - mine[numbers]).square().sum().item() == pytest.approx(theirs, rel=1e-4)


def test_kmeans_is_sklearns_from_the_same_centres():
    from sklearn.cluster import KMeans

    rows = torch.rand(40_000, 3, dtype=torch.float64)  # several pieces
    start = rows[:7]
    peer = KMeans(7, init=start.numpy(), n_init=1, max_iter=5, tol=0, algorithm="lloyd")
    peer.fit(rows.numpy())
    mine, labels = kmeans(rows, 7, start=start, iterations=5)
    np.testing.assert_allclose(mine.numpy(), peer.cluster_centers_, atol=1e-9)
    assert (labels.numpy() == peer.labels_).all()


def test_seeds_are_sampled_by_squared_distance():
    rows = torch.zeros(1000, 1)
    rows[:3] = torch.tensor([[0.0], [3.0], [1.0]])  # 3 is likelier than 1: 9 to 1
    second = [float(_plusplus(rows, 2, seed).max()) for seed in range(100)]
    assert 80 <= second.count(3.0) <= 97
    assert set(second) == {3.0, 1.0}
    assert torch.equal(_plusplus(rows, 5, 3), _plusplus(rows, 5, 3))
    assert not _plusplus(torch.zeros(4, 2), 3, 0).any()


def test_an_empty_cluster_moves_to_the_farthest_row():
    rows = torch.tensor([[0.0], [0.1], [0.2], [5.0], [9.0]])
    start = torch.tensor([[0.1], [100.0], [200.0]])
    centres, labels = kmeans(rows, 3, start=start, iterations=20)
    assert labels.tolist() == [2, 2, 2, 0, 1]  # from the mean of all 9 is farthest, then 0
    torch.testing.assert_close(centres, torch.tensor([[5.0], [9.0], [0.1]]))
    same, of = kmeans(torch.full((6, 2), 0.3), 4)
    assert not of.any() and torch.allclose(same[0], torch.tensor(0.3))
    with pytest.raises(BadParameter, match="from 1 to the 6 rows, got 7"):
        kmeans(torch.rand(6, 2), 7)


@settings(max_examples=20)
@given(
    st.integers(1, 30), st.integers(1, 30), st.sampled_from(["plusplus", "grid"]), st.integers(2, 9)
)
def test_labels_are_a_partition_numbered_by_size(height, width, start, count):
    rep = imrep.get("segment", regions=count, start=start)
    image = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(height))
    if height * width < count:
        with pytest.raises(BadImage, match=f"at least {count} pixels at regions={count}, got"):
            rep.encode(image)
        return
    code = rep.encode(image)
    for one, n, values, pixels in zip(code.labels, code.count, code.values, image, strict=True):
        sizes = torch.bincount(one.flatten(), minlength=count)
        assert int(n) == int((sizes > 0).sum()) and torch.equal(
            sizes, sizes.sort(descending=True)[0]
        )
        for k in range(int(n)):
            torch.testing.assert_close(values[k], pixels[:, one == k].mean(1))
        assert not values[int(n) :].any()
    assert rep.embed(image).isfinite().all()


@pytest.mark.parametrize("start", ["plusplus", "grid"])
def test_plain_stripes_are_segmented_and_inverted(start):
    image = chequered(RED, GREEN, BLUE)
    rep = imrep.get("segment", regions=3, start=start, texture=0.0)
    code = rep.encode(image)
    assert len({int(code.labels[0, 0, x]) for x in (3, 11, 19)}) == 3
    torch.testing.assert_close(rep.invert(code), image, atol=1e-6, rtol=0)
    again = rep.encode(image)
    assert torch.equal(again.labels, code.labels)


def test_texture_parts_what_colour_cannot():
    image = torch.full((1, 1, 32, 64), 0.5)
    image[..., ::2, 32::2] = 0.7
    image[..., 1::2, 33::2] = 0.7
    image[..., 1::2, 32::2] = 0.3
    image[..., ::2, 33::2] = 0.3
    labels = imrep.get("segment:regions=2,colour=0,position=0").encode(image).labels[0]
    assert (labels[:, :28] == labels[0, 0]).all() and (labels[:, 36:] == labels[0, 63]).all()
    assert labels[0, 0] != labels[0, 63]


def test_a_grid_and_a_heavy_position_give_superpixels_like_slics():
    photo = skimage.data.astronaut()[::4, ::4]
    image = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float() / 255
    rep = imrep.get("segment:regions=64,start=grid,position=1.6,texture=0")
    code = rep.encode(image)
    sizes = torch.bincount(code.labels.flatten())
    assert code.count.item() == 64 and sizes.max() < 4 * sizes.float().mean()
    peer = torch.from_numpy(
        slic(photo, 64, compactness=20, start_label=0, enforce_connectivity=False)
    )
    count = int(peer.max()) + 1
    pixels = image[0].flatten(1)
    means = torch.stack([pixels[:, peer.flatten() == k].mean(1) for k in range(count)], 1)
    left = (pixels - means[:, peer.flatten()]).square().mean()
    assert (rep.invert(code) - image).square().mean() < 1.1 * left


def test_more_regions_leave_less():
    image = torch.from_numpy(skimage.data.astronaut()[::8, ::8].copy()).permute(2, 0, 1)[None] / 255
    left = []
    for count in (2, 6, 20):
        rep = imrep.get("segment", regions=count, position=0.0, texture=0.0, iterations=30)
        left.append(float((rep.invert(rep.encode(image)) - image).square().mean()))
    assert left[0] > 1.5 * left[1] > 3 * left[2]


def test_borders_count_pixel_edges():
    labels = torch.tensor([[0, 0, 1], [0, 2, 1]])
    assert regions.borders(labels, 4).tolist() == [
        [0, 1, 2, 0],
        [1, 0, 1, 0],
        [2, 1, 0, 0],
        [0] * 4,
    ]
    image = chequered(RED, GREEN, BLUE)
    rep = imrep.get("segment:regions=3,texture=0")
    code = rep.encode(image)
    touching = rep.adjacency(code)[0]
    assert touching.sum() == 2 * 2 * 16 and (touching > 0).sum() == 4


def test_contours_have_area_length_and_parents():
    labels = torch.zeros(20, 30, dtype=torch.long)
    labels[2:14, 3:17] = 1
    labels[5:11, 6:14] = 0
    labels[7:9, 8:12] = 1
    found = regions.contours(labels)
    outer = next(i for i, curve in enumerate(found) if curve.label == 1 and curve.parent is None)
    hole = next(i for i, curve in enumerate(found) if curve.label == 1 and curve.hole)
    island = next(i for i, curve in enumerate(found) if curve.label == 1 and curve.parent == hole)
    assert found[outer].area == 11 * 13 and found[outer].length == 2 * (11 + 13)
    assert found[hole].parent == outer
    assert found[island].area == 3 and not found[island].hole
    assert found[outer].points.min(0).tolist() == [3, 2]  # x before y
    assert {curve.label for curve in found} == {0, 1}


def test_the_vector_names_regions_from_dark_to_light():
    image = chequered((0.8, 0.8, 0.8), (0.1, 0.1, 0.1), (0.1, 0.1, 0.1))
    rep = imrep.get("segment:regions=2,texture=0,cells=1")
    vector = rep.embed(image)[0]
    assert vector.shape == (2 * (1 + 3 + 5 + 1 + 1) + 1,) and imrep.get("segment").dim == 236
    torch.testing.assert_close(vector[:2].square(), torch.tensor([2 / 3, 1 / 3]))
    torch.testing.assert_close(vector[2:8], torch.tensor([0.1] * 3 + [0.8] * 3))
    torch.testing.assert_close(vector[8:10], torch.tensor([0.5, 2 / 3]))  # y and x of the dark one
    edge = 16 / (2 * (16 * 24) ** 0.5)
    torch.testing.assert_close(vector[-1].square(), torch.tensor(edge))


def test_gradients_reach_the_image_through_the_colours():
    image = photo(9, 8, batch=1).double().requires_grad_()
    rep = imrep.get("segment:regions=3")
    assert torch.autograd.gradcheck(lambda x: rep.pool(rep.encode(x)), image, eps=1e-7, atol=1e-4)


def test_other_seeds_are_other_partitions_and_the_same_one_is_the_same():
    image = photo(40, 40, batch=1)
    labels = [
        imrep.get(f"segment:seed={seed},iterations=1").encode(image).labels for seed in (0, 0, 1)
    ]
    assert torch.equal(labels[0], labels[1]) and not torch.equal(labels[0], labels[2])


def test_the_code_survives_a_file(tmp_path):
    code = imrep.get("segment").encode(photo(12, 9))
    codes.write(code, tmp_path / "code.safetensors")
    back = codes.read(tmp_path / "code.safetensors")
    assert torch.equal(back.values, code.values) and torch.equal(back.labels, code.labels)


def test_bad_parameters_and_codes_are_refused():
    for key, value in {
        "regions": 1,
        "position": -1.0,
        "iterations": 0,
        "cells": 0,
        "seed": -1,
    }.items():
        with pytest.raises(BadParameter, match=f"segment needs {key}"):
            imrep.get("segment", **{key: value})
    with pytest.raises(BadParameter, match="one weight, together"):
        imrep.get("segment:colour=0,position=0,texture=0")
    with pytest.raises(BadParameter, match="start to be one of plusplus, grid"):
        imrep.get("segment:start=random")
    rep = imrep.get("segment")
    code = rep.encode(photo(12, 9))
    with pytest.raises(BadCode, match="colours of 8 regions in the code, got none"):
        rep.invert(Regions(code.labels, code.count))
    with pytest.raises(BadCode, match="colours of 9 regions in the code, got those of 8"):
        imrep.get("segment:regions=9").pool(code)
