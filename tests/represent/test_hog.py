import itertools

import numpy as np
import pytest
import skimage.data
import torch
from skimage.feature import hog as skimage_hog

import imrep
from imrep.errors import BadImage, BadParameter


def plain_hog(image, *, cell, block, orientations, signed, norm):
    """Blocks (rows, columns, block, block, orientations) of one image (channel, h, w), by loops."""
    channels = image.double().numpy()
    dy, dx = np.zeros_like(channels), np.zeros_like(channels)
    dx[:, :, 1:-1] = channels[:, :, 2:] - channels[:, :, :-2]
    dy[:, 1:-1] = channels[:, 2:] - channels[:, :-2]
    rows, columns = (size // cell for size in channels.shape[1:])
    cells = np.zeros((rows, columns, orientations))
    span = 2 * np.pi if signed else np.pi
    for y in range(rows * cell):
        for x in range(columns * cell):
            magnitude = np.hypot(dx[:, y, x], dy[:, y, x])
            steepest = magnitude.argmax()
            angle = np.arctan2(dy[steepest, y, x], dx[steepest, y, x])
            orientation = int((angle % span) / span * orientations) % orientations
            cells[y // cell, x // cell, orientation] += magnitude[steepest] / cell**2
    blocks = np.zeros((rows - block + 1, columns - block + 1, block, block, orientations))
    for i in range(rows - block + 1):
        for j in range(columns - block + 1):
            histograms = cells[i : i + block, j : j + block]
            if norm == "l1":
                blocks[i, j] = histograms / (np.abs(histograms).sum() + 1e-5)
                continue
            unit = histograms / np.sqrt((histograms**2).sum() + 1e-10)
            unit = np.minimum(unit, 0.2)
            blocks[i, j] = unit / np.sqrt((unit**2).sum() + 1e-10)
    return blocks


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("cell", "block", "orientations", "norm"), [(4, 2, 9, "l2hys"), (5, 1, 7, "l1")]
)
def test_equals_the_plain_algorithm(cell, block, orientations, norm, signed):
    params = {
        "cell": cell,
        "block": block,
        "orientations": orientations,
        "norm": norm,
        "signed": signed,
    }
    rep, images = imrep.get("hog", side=None, **params), torch.rand(2, 3, 23, 31).double()
    code = rep.encode(images)
    for i, image in enumerate(images):
        expected = plain_hog(image, **params)
        np.testing.assert_allclose(_layout(code[i : i + 1], rep), expected, atol=1e-9)


def plain_opencv_hog(image, *, cell, block, orientations, signed):
    """Blocks (rows, columns, block x, block y, orientations) of a gray image (h, w), by loops."""
    root = np.pad(np.sqrt(255 * image.double().numpy()), 1, mode="reflect")
    dx, dy = root[1:-1, 2:] - root[1:-1, :-2], root[2:, 1:-1] - root[:-2, 1:-1]
    magnitude, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    position = angle / (2 * np.pi if signed else np.pi) * orientations - 0.5
    side = cell * block
    rows, columns = (size // cell - block + 1 for size in image.shape)
    blocks = np.zeros((rows, columns, block, block, orientations))
    for i, j, y, x in np.ndindex(rows, columns, side, side):
        at = i * cell + y, j * cell + x
        window = np.exp(-((y - side / 2) ** 2 + (x - side / 2) ** 2) / (2 * (side / 4) ** 2))
        low = int(np.floor(position[at]))
        for u, v, bin_ in itertools.product(range(block), range(block), (low, low + 1)):
            share = 1 - abs(position[at] - bin_)
            share *= max(0, 1 - abs((x + 0.5) / cell - 0.5 - u))
            share *= max(0, 1 - abs((y + 0.5) / cell - 0.5 - v))
            blocks[i, j, u, v, bin_ % orientations] += window * share * magnitude[at]
    values = blocks.reshape(rows, columns, -1)
    norm = np.linalg.norm(values, axis=2, keepdims=True) + 0.1 * values.shape[2]
    values = np.minimum(values / norm, 0.2)
    norm = np.linalg.norm(values, axis=2, keepdims=True) + 1e-3
    return (values / norm).reshape(blocks.shape)


@pytest.mark.parametrize("signed", [False, True])
def test_equals_the_plain_algorithm_in_opencv_s_layout(signed):
    params = {"cell": 4, "block": 2, "orientations": 5, "signed": signed}
    rep, image = imrep.get("hog:layout=opencv", side=None, **params), torch.rand(1, 1, 12, 17)
    code = rep.encode(image.double())
    expected = plain_opencv_hog(image[0, 0], **params)
    np.testing.assert_allclose(_layout(code, rep), expected, atol=1e-9)


def _tensor(array):
    rows = torch.from_numpy(array).double() / 255
    return rows[None, None] if rows.ndim == 2 else rows.permute(2, 0, 1)[None]


def _layout(code, rep):
    """Blocks as skimage orders them: (rows, columns, block, block, bins)."""
    blocks = code.values[0].permute(1, 2, 0)
    return blocks.unflatten(2, (rep.block, rep.block, rep.orientations)).numpy()


@pytest.mark.parametrize(
    ("image", "key", "spec"),
    [
        ("gray_u8", "gray_o9_pc8x8_cb3x3_L2-Hys", "block=3"),
        ("gray_u8", "gray_o9_pc8x8_cb2x2_L2", "norm=l2"),
        ("gray_u8", "gray_sqrt", "block=3,gamma=true"),
        ("rgb_u8", "rgb_o9_pc8x8_cb3x3_L2-Hys", "block=3"),
    ],
)
def test_equals_skimage(references, image, key, spec):
    stored = references("hog")
    rep = imrep.get(f"hog:side=none,{spec}")
    blocks = _layout(rep.encode(_tensor(stored[image])), rep)
    np.testing.assert_allclose(blocks, stored[key], atol=1e-6)
    single = _layout(rep.encode(_tensor(stored[image]).float()), rep)
    # where two channels are equally steep, rounding decides between them
    np.testing.assert_allclose(single, stored[key], atol=0.02 if image == "rgb_u8" else 1e-5)


def test_equals_skimage_away_from_ties(references):
    # At 8 bins 45° and 135° are edges of bins, and the last bit of an arc tangent decides on which
    # side |gx| = |gy| falls: the two bins on either side are compared as one.
    stored = references("hog")
    rep = imrep.get("hog:side=none,cell=16,block=1,orientations=8,norm=l1")

    def merged(blocks):
        first, second, third, fourth, fifth, sixth, seventh, last = np.moveaxis(blocks, -1, 0)
        return np.stack([first, second + third, fourth, fifth, sixth + seventh, last])

    blocks = merged(_layout(rep.encode(_tensor(stored["gray_u8"])), rep))
    np.testing.assert_allclose(blocks, merged(stored["gray_o8_pc16x16_cb1x1_L1"]), atol=1e-6)


@pytest.mark.parametrize(
    ("bins", "cell", "block", "norm"),
    [(9, 8, 2, "L2-Hys"), (6, 7, 3, "L1-sqrt"), (9, 5, 1, "L1"), (12, 16, 2, "L2")],
)
def test_the_vector_is_skimages_descriptor_of_the_canvas(bins, cell, block, norm):
    image = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    ours = imrep.get(
        "hog", orientations=bins, cell=cell, block=block, norm=norm.lower().replace("-", "")
    ).embed(image)
    theirs = skimage_hog(
        image[0].permute(1, 2, 0).numpy(),
        orientations=bins,
        pixels_per_cell=(cell, cell),
        cells_per_block=(block, block),
        block_norm=norm,
        channel_axis=-1,
    )
    np.testing.assert_allclose(ours[0].numpy(), theirs, atol=1e-6)


@pytest.mark.parametrize(
    ("image", "key", "spec"),
    [
        ("rgb_u8_64x128", "hog_rgb_default", ""),
        ("gray_u8", "hog_gray_default", ""),
        ("gray_u8", "hog_gray_nogamma", ",gamma=false"),
        ("gray_u8", "hog_gray_signed", ",gamma=false,signed=true"),
    ],
)
def test_equals_opencv(refs, image, key, spec):
    stored = np.load(refs / "classic" / "e7_hog_cv2_4x.npz")
    rep = imrep.get(f"hog:layout=opencv,side=none{spec}")
    blocks = rep.encode(_tensor(stored[image]).float()).values
    assert blocks.shape == (1, 36, 15, 7)
    window = blocks.permute(0, 3, 2, 1).flatten()  # x before y, as OpenCV's descriptor
    np.testing.assert_allclose(window.numpy(), stored[key], atol=5e-4)


def test_defaults_have_one_length():
    rep = imrep.get("hog")
    for size in ((64, 64), (1, 1), (200, 31)):
        assert rep.embed(torch.rand(1, 3, *size)).shape == (1, 1764)
    free = imrep.get("hog:side=none")
    for size in ((64, 64), (16, 16), (100, 75)):
        assert free.embed(torch.rand(1, 3, *size)).shape == (1, 1764)


@pytest.mark.parametrize("layout", ["skimage", "opencv"])
def test_contrast_is_normalised(layout):
    image = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    rep = imrep.get("hog", layout=layout, gamma=False)
    full, half = rep.embed(image), rep.embed(0.25 + image / 2)
    assert (full - half).abs().max() < (1e-4 if layout == "skimage" else 0.02)


def test_a_vertical_edge_votes_for_the_horizontal_gradient():
    image = torch.zeros(1, 1, 64, 64)
    image[..., 32:] = 1
    for flipped in (image, 1 - image):  # unsigned: gx < 0 is the same direction, in bin 0 not 8
        blocks = imrep.get("hog").encode(flipped).values.unflatten(1, (4, 9))
        assert blocks[:, :, 1:].abs().max() == 0
        assert blocks[:, :, 0].max() > 0.4
    signed = (
        imrep.get("hog:signed=true,orientations=4").encode(1 - image).values.unflatten(1, (4, 4))
    )
    assert signed.amax((0, 1, 3, 4)).tolist()[0] == 0
    assert signed.amax((0, 1, 3, 4)).tolist()[2] > 0.4


@pytest.mark.parametrize("spec", ["", ",layout=opencv", ",norm=l1sqrt,gamma=true"])
def test_gradient_is_the_slope_and_stays_finite(spec):
    rep = imrep.get(f"hog:cell=3,block=1,orientations=5,side=none{spec}")
    torch.manual_seed(2)
    image = (0.2 + 0.6 * torch.rand(1, 1, 6, 6, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: rep.encode(x).values, image)
    for level in (0.0, 0.5):
        flat = torch.full((1, 3, 6, 6), level, requires_grad=True)
        rep.encode(flat).values.sum().backward()
        assert flat.grad.isfinite().all()


def test_batches_and_gradients_change_no_number():
    image = torch.rand(5, 3, 300, 301)  # more than one pass holds
    rep = imrep.get("hog:side=none,signed=true")
    batched = rep.encode(image).values
    singly = torch.cat([rep.encode(each).values for each in image.split(1)])
    torch.testing.assert_close(batched, singly, rtol=0, atol=0)
    torch.testing.assert_close(
        rep.encode(image.requires_grad_()).values, batched, rtol=0, atol=1e-6
    )


def test_equals_skimage_in_colour_at_every_pixel_of_a_photograph():
    photo = skimage.data.astronaut()[:200, 150:350]
    # Two channels of bytes can be equally steep, and the last bit would choose between them.
    image = (photo + np.random.default_rng(0).random(photo.shape)) / 256
    ours = imrep.get("hog:side=none").encode(torch.from_numpy(image).permute(2, 0, 1)[None])
    theirs = skimage_hog(image, 9, (8, 8), (2, 2), feature_vector=False, channel_axis=-1)
    np.testing.assert_allclose(_layout(ours, imrep.get("hog")), theirs, atol=1e-6)


def test_directions_on_the_edge_of_a_bin_belong_to_the_one_above():
    # slopes in steps of 45° lie on the edges of 8 signed bins, at every sign of zero
    y, x = torch.meshgrid(torch.arange(24.0), torch.arange(24.0), indexing="ij")
    rep = imrep.get("hog:side=none,signed=true,orientations=8,block=1,norm=l1")
    for k, (dx, dy) in enumerate(
        [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
    ):
        ramp = (0.5 + (dx * (x - 12) + dy * (y - 12)) / 64)[None, None]
        middle = rep.encode(ramp).values[0, :, 1, 1]
        assert middle.argmax() == k and middle[k] > 0.99


def test_a_flat_image_is_zero():
    for layout in ("skimage", "opencv"):
        vector = imrep.get("hog", layout=layout).embed(torch.full((1, 3, 40, 40), 0.7))
        assert vector.abs().max() < 1e-3


def test_strokes_run_along_the_edge():
    image = torch.zeros(1, 1, 64, 64)
    image[..., 32:] = 1
    for layout in ("skimage", "opencv"):
        rep = imrep.get("hog", layout=layout)
        picture = rep.picture(rep.encode(image)).sum(1)[0]
        bright = (picture > 0.5 * picture.max()).nonzero().float()
        assert bright[:, 0].std() > 3 * bright[:, 1].std()


def test_bad_parameters_and_sizes_are_refused():
    with pytest.raises(BadParameter, match="side of at least cell × block = 24, got 20"):
        imrep.get("hog:block=3,side=20")
    with pytest.raises(BadParameter, match="norm=l2hys in layout=opencv"):
        imrep.get("hog:layout=opencv,norm=l1")
    with pytest.raises(BadImage, match="hog needs images of at least 16×16, got 15×40"):
        imrep.get("hog:side=none").encode(torch.rand(1, 3, 15, 40))
