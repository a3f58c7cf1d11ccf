"""What is asked of images, vectors, inverses and pictures."""

import copy
import math
import pickle
import tempfile
import warnings
from typing import Any

import torch
from torch import Tensor

from imrep.base import Representation
from imrep.codes import Code
from imrep.errors import BadImage, ImrepError, NoInverse, NotFitted
from imrep.registry import catalog
from imrep.testing._tools import (
    EXACT,
    SIZES,
    close,
    devices,
    dtypes,
    embed,
    equal,
    extremes,
    fit,
    hold,
    names,
    photo,
    ready,
)
from imrep.types import Image


def spec_rebuilds_it(rep: Representation) -> None:
    """`get(rep.spec)` is the same thing: class, parameters, weights; whatever the random state."""
    torch.manual_seed(1)
    again = catalog.get(rep.spec)
    torch.manual_seed(2)
    third = catalog.get(rep.spec)
    hold(type(again) is type(rep), f"{rep.spec} rebuilds a {type(again).__name__}")
    hold(again.spec == rep.spec, f"{rep.spec} rebuilds {again.spec}")
    hold(again.fingerprint == third.fingerprint, f"{rep.spec} has other weights each time")
    close(embed(again), embed(third), f"{rep.spec} is another each time it is built")


def parameters_survive_the_spec(rep: Representation) -> None:
    """A changed parameter is kept and rebuilt, or refused by an error of imrep's own."""
    for key, changed in _changes(rep):
        try:
            other = copy.deepcopy(rep).set_params(**{key: changed})
        except ImrepError as error:
            hold(bool(str(error)), f"{rep.name} refuses {key}={changed!r} without a word")
            continue
        back = catalog.get(other._blank_spec())
        hold(back.spec == other.spec, f"{other.spec} rebuilds {back.spec}")


def input_is_untouched(rep: Representation) -> None:
    """No image is written to, and no code."""
    image = photo()
    kept = image.clone()
    rep = ready(rep)
    code = rep.encode(image)
    before = {key: tensor.clone() for key, tensor in code.tensors().items()}
    rep.pool(code)
    rep.picture(code, image)
    hold(torch.equal(image, kept), f"{rep.spec} writes to its input")
    for key, tensor in code.tensors().items():
        hold(equal(tensor, before[key]), f"{rep.spec} writes to its code's {key}")


def a_batch_is_a_loop(rep: Representation) -> None:
    """Images of a batch do not see each other."""
    image = photo(batch=3)
    rep = ready(rep)
    with torch.no_grad():
        whole = rep.embed(image)
        single = torch.cat([rep.embed(one) for one in image.split(1)])
        code = rep.encode(image)
    close(whole, single, f"{rep.spec} gives an image another vector inside a batch")
    hold(len(code) == len(image), f"{rep.spec} gives {len(code)} codes for {len(image)} images")


def layout_in_memory_does_not_matter(rep: Representation) -> None:
    """Strided, transposed and channels-last tensors are images like others."""
    image = photo()
    rep = ready(rep)
    turned = image.mT.contiguous().mT
    last = image.contiguous(memory_format=torch.channels_last)
    for other in (turned, last):
        close(embed(rep, other), embed(rep, image), f"{rep.spec} minds the tensor's strides")


def length_ignores_size(rep: Representation) -> None:
    """One length of vector for all sizes, the one that `dim` says."""
    rep = ready(rep)
    for height, width in SIZES:
        got = embed(rep, photo(height, width))
        wanted = (2, rep.dim)
        hold(
            tuple(got.shape) == wanted,
            f"{rep.spec} gives {tuple(got.shape)} at {height}×{width}, not {wanted}",
        )
        hold(bool(got.isfinite().all()), f"{rep.spec} gives NaN or infinity at {height}×{width}")


def small_images_work_or_are_refused(rep: Representation) -> None:
    """Down to one pixel: the same length of vector, or BadImage that says what it needs."""
    rep = ready(rep)
    for size in ((1, 1), (2, 31), (7, 5), (16, 16), (1, 900), (700, 3)):
        image = photo(*size)
        try:
            got = embed(rep, image)
        except BadImage as error:
            names(rep, error)
        else:
            hold(got.shape[1] == rep.dim, f"{rep.spec} gives {got.shape[1]} numbers at {size}")


def flat_images_give_finite_vectors(rep: Representation) -> None:
    """Black, gray and white, where norms and logarithms meet zero."""
    rep = ready(rep)
    for level in (0.0, 0.5, 1.0):
        got = embed(rep, torch.full((1, 3, 64, 64), level))
        hold(bool(got.isfinite().all()), f"{rep.spec} gives NaN or infinity for a flat image")


def gray_is_accepted(rep: Representation) -> None:
    """One channel is encoded as it is, and embedded like the same gray in three."""
    gray = photo(channels=1)
    rep = ready(rep)
    hold(len(rep.encode(gray)) == len(gray), f"{rep.spec} loses gray images")
    close(
        embed(rep, gray),
        embed(rep, gray.expand(-1, 3, -1, -1)),
        f"{rep.spec} embeds gray unlike the same gray in three channels",
    )


def dtype_and_device_are_kept(rep: Representation) -> None:
    """As the card says: floating types stay what they were, on every device at hand."""
    rep = ready(rep)
    for device in devices():
        there = copy.deepcopy(rep).to(device)
        for dtype in dtypes(rep, device):
            image = photo().to(device, dtype)
            code = there.encode(image)
            made = code.tensors() | {"vectors": there.pool(code)}
            for key, tensor in made.items():
                hold(tensor.device.type == device, f"{rep.spec} moves {key} off {device}")
                kept = not tensor.is_floating_point() or tensor.dtype == dtype
                hold(kept, f"{rep.spec} makes {key} {tensor.dtype} of {dtype}")


def gradient_as_the_property_says(rep: Representation) -> None:
    """Finite and not all zero where `differentiable`, even at a flat image; absent elsewhere."""
    rep = ready(rep)
    slope = _slope(rep, photo())
    if not rep.differentiable:
        none = slope is None or not bool(slope.any())
        hold(none, f"{rep.spec} has a gradient, though it is not differentiable")
        return
    if slope is None:
        raise AssertionError(f"{rep.spec} cuts the gradient, though it is differentiable")
    hold(bool(slope.isfinite().all()), f"{rep.spec} has a gradient that is not finite")
    hold(bool(slope.any()), f"{rep.spec} has a gradient of zero")
    flat = _slope(rep, torch.full((1, 3, 64, 64), 0.5))
    finite = flat is None or bool(flat.isfinite().all())
    hold(finite, f"{rep.spec} has a gradient that is not finite at a flat image")


def inverse_as_the_property_says(rep: Representation) -> None:
    """Exact to 1e-5; approximate in shape and range, its code nearer than a flat one's; or none."""
    rep = ready(rep)
    if rep.inverse == "none":
        try:
            rep.invert(rep.encode(photo()))
        except NoInverse as error:
            names(rep, error)
            return
        raise AssertionError(f"{rep.spec} inverts, though its card says none")
    sizes = SIZES if rep.inverse == "exact" else SIZES[:2]
    for height, width in sizes:
        for channels in (3, 1):
            _inverts(rep, photo(height, width, channels=channels, batch=1))
    for image in extremes() if rep.inverse == "exact" else ():
        _inverts(rep, image)


def picture_is_a_picture(rep: Representation) -> None:
    """RGB in [0, 1], one per image, without gradient, not blank; alone and over the image."""
    rep = ready(rep)
    image = photo(48, 80).requires_grad_()
    code = rep.encode(image)
    for drawn in (rep.picture(code), rep.picture(code, image)):
        hold(
            drawn.ndim == 4 and tuple(drawn.shape[:2]) == (2, 3),
            f"{rep.spec} draws {tuple(drawn.shape)}, not (2, 3, rows, columns)",
        )
        low, high = float(drawn.detach().min()), float(drawn.detach().max())
        hold(0 <= low <= high <= 1, f"{rep.spec} draws values from {low:.4g} to {high:.4g}")
        hold(bool((drawn.flatten(1).std(1) > 0.01).all()), f"{rep.spec} draws a blank picture")
    hold(not rep.picture(code).requires_grad, f"{rep.spec} draws with a gradient attached")


def bad_images_are_refused_by_name(rep: Representation) -> None:
    """By `encode` and by `embed`, with a message that names who refused and ends in a remedy."""
    rep = ready(rep)
    good = photo()
    bad: dict[str, Any] = {
        "an array": good.numpy(),
        "one image without a batch": good[0],
        "bytes": (good * 255).to(torch.uint8),
        "two channels": good[:, :2],
        "four channels": torch.cat([good, good[:, :1]], dim=1),
        "channels last": good.permute(0, 2, 3, 1),
        "half precision": good.half(),
        "bfloat16": good.bfloat16(),
        "complex numbers": good.to(torch.complex64),
        "truth values": good > 0.5,
        "whole numbers": (good * 255).long(),
        "a sparse tensor": good.to_sparse(),
        "no channel": good[:, :0],
        "no column": good[..., :0],
        "no row": good[:, :, :0],
        "nothing": None,
        "a list": [good],
        "infinity": good.masked_fill(good > 0.9, -torch.inf),
        "NaN": good.masked_fill(good > 0.9, torch.nan),
        "values to 255": good * 255,
        "an empty batch": good[:0],
    }
    for what, x in bad.items():
        for door in (rep.encode, rep.embed):
            try:
                door(x)
            except BadImage as error:
                names(rep, error)
                remedy = str(error).rstrip(".").partition(". ")[2]
                hold(bool(remedy), f"{rep.spec} refuses {what} without a remedy: {error}")
            else:
                raise AssertionError(f"{rep.spec} accepts {what}")


def unfitted_says_so(rep: Representation) -> None:
    """Encodes before it learned, refuses vectors by name, and learns the same twice."""
    if not rep.needs_fit:
        embed(rep)
        return
    rep.encode(photo())
    try:
        rep.embed(photo())
    except NotFitted as error:
        names(rep, error)
    else:
        raise AssertionError(f"{rep.spec} embeds before it is fitted")
    hold(not ready(rep).needs_fit, f"{rep.spec} needs to be fitted after it was")
    torch.manual_seed(3)
    other = copy.deepcopy(rep)
    hold(fit(other).fingerprint == fit(rep).fingerprint, f"{rep.spec} learns by chance")


def training_mode_changes_nothing(rep: Representation) -> None:
    """`train()` and `eval()` give the same vectors, and embedding changes no state."""
    rep = ready(rep)
    before = rep.fingerprint
    close(embed(rep.train()), embed(rep.eval()), f"{rep.spec} depends on train() and eval()")
    hold(rep.fingerprint == before, f"{rep.spec} changes its state by embedding")


def saved_is_loaded(rep: Representation) -> None:
    """`save` and `load` keep numbers and fingerprint, fitted or not."""
    for made in (rep, ready(copy.deepcopy(rep))):
        with tempfile.TemporaryDirectory() as folder:
            back = catalog.load(made.save(folder))
        hold(back.fingerprint == made.fingerprint, f"{rep.spec} is loaded as another")
        hold(back.needs_fit == made.needs_fit, f"{rep.spec} forgets whether it was fitted")
    close(embed(back), embed(made), f"{rep.spec} is loaded with other numbers")


def copies_are_equal(rep: Representation) -> None:
    """Pickled and deep-copied, it gives the same vectors and keeps its fingerprint."""
    rep = ready(rep)
    for other in (pickle.loads(pickle.dumps(rep)), copy.deepcopy(rep)):
        hold(other.fingerprint == rep.fingerprint, f"{rep.spec} is copied as another")
        close(embed(other), embed(rep), f"{rep.spec} is copied with other numbers")


def compiles(rep: Representation) -> None:
    """The same vectors under torch.compile's "aot_eager", or `eager_only` says why not."""
    _compiles(rep, "aot_eager")


def compiles_by_default(rep: Representation) -> None:
    """The same with torch's default backend, which generates and builds code: slow."""
    _compiles(rep, "inductor")


def _changes(rep: Representation) -> list[tuple[str, Any]]:
    """Each parameter of a leaf with other values: near ones, and ones that make no sense."""
    found: list[tuple[str, Any]] = []
    for key, now in rep.get_params().items():
        if isinstance(now, bool):
            found += [(key, not now)]
        elif isinstance(now, int):
            found += [(key, now + 1), (key, 0), (key, -3)]
        elif isinstance(now, float):
            found += [(key, now * 0.9), (key, -1.0)]
        elif isinstance(now, str):
            found += [(key, "no, such: thing")]
    return found


def _slope(rep: Representation, image: Tensor) -> Tensor | None:
    """Gradient of a random projection of the code and of the vector; None where there is none."""
    image = image.clone().requires_grad_()
    code: Code = rep.encode(image)
    dice = torch.Generator().manual_seed(0)
    total = image.new_zeros(())
    for tensor in (*code.tensors().values(), rep.pool(code)):
        real = torch.view_as_real(tensor) if tensor.is_complex() else tensor
        if real.requires_grad:
            total = total + (real * torch.randn(real.shape, generator=dice)).sum()
    if not total.requires_grad:
        return None
    return torch.autograd.grad(total, image, allow_unused=True)[0]


def _inverts(rep: Representation, image: Tensor) -> None:
    again = copy.deepcopy(rep).invert(rep.encode(image)).detach()
    size = "×".join(map(str, image.shape[1:]))
    if rep.inverse == "exact":
        close(again, image, f"{rep.spec} is not inverted exactly at {size}", within=EXACT)
        return
    shapes = image.shape, image.expand(-1, 3, -1, -1).shape  # gray may be taken as three channels
    hold(again.shape in shapes, f"{rep.spec} inverts {size} to {tuple(again.shape[1:])}")
    low, high = float(again.min()), float(again.max())
    hold(-EXACT <= low <= high <= 1 + EXACT, f"{rep.spec} inverts to {low:.4g} … {high:.4g}")
    flat = image.mean((2, 3), keepdim=True).expand_as(image)
    better = _apart(rep, again, image) < _apart(rep, flat, image)
    hold(better, f"{rep.spec} inverts {size} to a code farther off than a flat image's")


def _apart(rep: Representation, one: Image, other: Image) -> float:
    """Distance between the codes of two images."""
    with torch.no_grad():
        codes = rep.encode(one.clamp(0, 1)).tensors(), rep.encode(other).tensors()
    pairs = [(codes[0][key], codes[1][key]) for key in codes[0]]
    return math.hypot(*(float((a - b).abs().double().norm()) for a, b in pairs))


def _compiles(rep: Representation, backend: str) -> None:
    if rep.eager_only:
        hold(" " in rep.eager_only, f"{rep.spec} must say in words why it is not compiled")
        return
    rep = ready(rep)
    torch.compiler.reset()
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of what the compiler leaves to eager
            got = torch.compile(rep, backend=backend)(photo())
    finally:
        torch.compiler.reset()
    close(got, embed(rep), f"{rep.spec} gives other vectors when compiled by {backend}")
