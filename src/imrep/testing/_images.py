"""Questions about images: sizes, types, layouts, borders, and those that are refused."""

import copy
from typing import Any

import torch

from imrep.base import Representation
from imrep.errors import BadImage
from imrep.testing._tools import (
    SIZES,
    close,
    devices,
    dtypes,
    embed,
    equal,
    photo,
    ready,
    require,
    says_its_name,
)


def input_is_untouched(rep: Representation) -> None:
    """No image is written to, and no code."""
    image = photo()
    untouched = image.clone()
    rep = ready(rep)
    code = rep.encode(image)
    before = {key: tensor.clone() for key, tensor in code.tensors().items()}
    rep.pool(code)
    rep.picture(code, image)
    require(torch.equal(image, untouched), f"{rep.spec} writes to its input")
    for key, tensor in code.tensors().items():
        require(equal(tensor, before[key]), f"{rep.spec} writes to its code's {key}")


def a_batch_is_a_loop(rep: Representation) -> None:
    """Images of a batch do not influence each other."""
    image = photo(batch=3)
    rep = ready(rep)
    with torch.no_grad():
        vectors = rep.embed(image)
        single = torch.cat([rep.embed(alone) for alone in image.split(1)])
        code = rep.encode(image)
    close(vectors, single, f"{rep.spec} gives an image another vector inside a batch")
    require(len(code) == len(image), f"{rep.spec} gives {len(code)} codes for {len(image)} images")


def layout_in_memory_does_not_matter(rep: Representation) -> None:
    """Strided, transposed and channels-last tensors give the vectors of contiguous ones."""
    image = photo()
    rep = ready(rep)
    transposed = image.mT.contiguous().mT
    channels_last = image.contiguous(memory_format=torch.channels_last)
    for same in (transposed, channels_last):
        close(embed(rep, same), embed(rep, image), f"{rep.spec} depends on the tensor's strides")


def length_ignores_size(rep: Representation) -> None:
    """All sizes give vectors of length `dim`."""
    rep = ready(rep)
    for height, width in SIZES:
        vectors = embed(rep, photo(height, width))
        expected = (2, rep.dim)
        require(
            tuple(vectors.shape) == expected,
            f"{rep.spec} gives {tuple(vectors.shape)} at {height}×{width}, not {expected}",
        )
        require(
            bool(vectors.isfinite().all()), f"{rep.spec} gives NaN or infinity at {height}×{width}"
        )


def small_images_work_or_are_refused(rep: Representation) -> None:
    """Down to one pixel: a vector of length `dim`, or BadImage that says what is needed."""
    rep = ready(rep)
    for size in ((1, 1), (2, 31), (7, 5), (16, 16), (1, 900), (700, 3)):
        image = photo(*size)
        try:
            vectors = embed(rep, image)
        except BadImage as error:
            says_its_name(rep, error)
        else:
            require(vectors.shape[1] == rep.dim, f"{rep.spec} gives {vectors.shape[1]} at {size}")


def flat_images_give_finite_vectors(rep: Representation) -> None:
    """Black, gray and white images, where norms and logarithms meet zero."""
    rep = ready(rep)
    for level in (0.0, 0.5, 1.0):
        vectors = embed(rep, torch.full((1, 3, 64, 64), level))
        require(
            bool(vectors.isfinite().all()), f"{rep.spec} gives NaN or infinity for a flat image"
        )


def gray_is_accepted(rep: Representation) -> None:
    """One channel is encoded as one, and embedded as the same gray in three."""
    gray = photo(channels=1)
    rep = ready(rep)
    require(len(rep.encode(gray)) == len(gray), f"{rep.spec} loses gray images")
    close(
        embed(rep, gray),
        embed(rep, gray.expand(-1, 3, -1, -1)),
        f"{rep.spec} embeds gray unlike the same gray in three channels",
    )


def dtype_and_device_are_kept(rep: Representation) -> None:
    """As the card says: the floating type and the device of the image, on every device here."""
    rep = ready(rep)
    for device in devices():
        moved = copy.deepcopy(rep).to(device)
        for dtype in dtypes(rep, device):
            image = photo().to(device, dtype)
            code = moved.encode(image)
            tensors = code.tensors() | {"vectors": moved.pool(code)}
            for key, tensor in tensors.items():
                require(tensor.device.type == device, f"{rep.spec} moves {key} off {device}")
                same = not tensor.is_floating_point() or tensor.dtype == dtype
                require(same, f"{rep.spec} makes {key} {tensor.dtype} of {dtype}")


def bad_images_are_refused_by_name(rep: Representation) -> None:
    """By `encode` and `embed`, in a message that names the representation and ends in a remedy."""
    rep = ready(rep)
    image = photo()
    cases: dict[str, Any] = {
        "an array": image.numpy(),
        "one image without a batch": image[0],
        "bytes": (image * 255).to(torch.uint8),
        "two channels": image[:, :2],
        "four channels": torch.cat([image, image[:, :1]], dim=1),
        "channels last": image.permute(0, 2, 3, 1),
        "half precision": image.half(),
        "bfloat16": image.bfloat16(),
        "complex numbers": image.to(torch.complex64),
        "truth values": image > 0.5,
        "whole numbers": (image * 255).long(),
        "a sparse tensor": image.to_sparse(),
        "no channel": image[:, :0],
        "no column": image[..., :0],
        "no row": image[:, :, :0],
        "nothing": None,
        "a list": [image],
        "infinity": image.masked_fill(image > 0.9, -torch.inf),
        "NaN": image.masked_fill(image > 0.9, torch.nan),
        "values to 255": image * 255,
        "an empty batch": image[:0],
    }
    for what, x in cases.items():
        for method in (rep.encode, rep.embed):
            try:
                method(x)
            except BadImage as error:
                says_its_name(rep, error)
                remedy = str(error).rstrip(".").partition(". ")[2]
                require(bool(remedy), f"{rep.spec} refuses {what} without a remedy: {error}")
            else:
                raise AssertionError(f"{rep.spec} accepts {what}")
