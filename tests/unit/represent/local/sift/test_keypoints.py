"""Keypoints of a batch: padded to the longest list, where the structure is."""

import cv2
import numpy as np
import torch
from skimage import data

from imrep.represent.local.sift.keypoints import detect


def crop(top, left, side=96):
    pixels = data.camera()[top : top + side, left : left + side]
    return torch.from_numpy(pixels / np.float32(255))[None, None]


def test_images_are_padded_and_equal_their_own_detection():
    first, second, blank = crop(150, 150), crop(60, 200), torch.full((1, 1, 96, 96), 0.5)
    points = detect(torch.cat([first, second, blank]))
    counts = points.present.sum(1).tolist()
    assert counts[2] == 0 and max(counts) == points.xy.shape[1] and min(counts[:2]) > 3
    for i, image in enumerate((first, second)):
        alone = detect(image)
        assert torch.equal(points.xy[i, : counts[i]], alone.xy[0])
        assert torch.equal(points.values[i, : counts[i]], alone.values[0])
        assert not points.values[i, counts[i] :].any()


def test_descriptors_are_root_sift():
    points = detect(crop(150, 150))
    found, raw = cv2.SIFT.create().detectAndCompute(data.camera()[150:246, 150:246], None)
    shares = raw / raw.sum(1, keepdims=True)
    np.testing.assert_allclose(points.values[0], np.sqrt(shares), rtol=0, atol=1e-6)
    assert torch.allclose(points.values[0].square().sum(1), torch.ones(len(found)))


def test_a_blob_has_a_keypoint_at_its_centre_of_its_size():
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    for sigma in (3.0, 6.0):
        blob = torch.exp(-((x - 50) ** 2 + (y - 40) ** 2) / (2 * sigma**2))
        points = detect(0.2 + 0.6 * blob[None, None])
        strongest = points.response[0].argmax()
        torch.testing.assert_close(
            points.xy[0, strongest], torch.tensor([50.0, 40.0]), rtol=0, atol=0.3
        )
        assert abs(points.extent[0, strongest] / 2 - 2**0.5 * sigma) < 0.8 * sigma
