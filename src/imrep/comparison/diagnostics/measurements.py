"""Measurements of one candidate that need no labels, cached on disk."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from imrep import images
from imrep.assets import REBUILT
from imrep.base import Representation
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.diagnostics import reconstruction, stability
from imrep.comparison.diagnostics.reconstruction import Reconstruction
from imrep.comparison.diagnostics.stability import Stability
from imrep.comparison.probes.encoded_candidate import EncodedCandidate, side_by_side
from imrep.comparison.probes.gram import Gram
from imrep.comparison.state import State
from imrep.embedding import cache, encode
from imrep.embedding.decoded_images import Decoded
from imrep.embedding.encode import Encoded
from imrep.errors import BadFile, NoInverse
from imrep.ops.metrics import decibels
from imrep.results import PROTOCOL

_NATIVE_FILES = 2  # on which an exact inverse is measured at their own size
_MAX_PSNR = 200.0  # dB, in place of infinity: results.jsonl holds finite numbers
_MAX_PIXELS = 4_000_000  # of such a file, so that the measurement stays fast


class ExactInverse(NamedTuple):
    """An exact inverse as measured.

    Attributes:
        psnr: In dB, on a few files at their own size.
        numbers: Real numbers in the code of one square image, from which the inverse starts.
    """

    psnr: float
    numbers: int


@dataclass(frozen=True, eq=False)
class Measurements:
    """Measurements of one candidate.

    Args:
        encoded: The candidate.
        gram: Inner products of the sample's vectors.
        reconstruction: Least-squares reconstruction; None where there is one group only.
        inverse: None without an exact inverse.
        stability: None for precomputed vectors.
    """

    encoded: EncodedCandidate
    gram: Gram
    reconstruction: Reconstruction | None
    inverse: ExactInverse | None
    stability: Stability | None


def measure(encoded: EncodedCandidate, images: ImageCollection, state: State) -> Measurements:
    """All measurements of one candidate."""
    gram = encoded.gram(images.sample)
    inverse = None
    if len(encoded.parts) == 1:
        rep = encoded.parts[0].rep
        inverse = exact_inverse(rep, images.decoded, state.device, state.reading)
    moved = None
    if not encoded.candidate.precomputed:
        reading = encoded.candidate.framed(state.reading)
        decoded = [state.decoded_alike(part.side, reading) for part in encoded.parts]
        moved = measure_stability(encoded, decoded, state.device, state.seed)
    return Measurements(encoded, gram, reconstruct(encoded, images, gram), inverse, moved)


def measure_stability(
    encoded: EncodedCandidate, decoded: list[Decoded], device: str, seed: int
) -> Stability:
    """Perturb a few images, embed them again and measure how far the vectors moved.

    Args:
        encoded: The candidate.
        decoded: The decoded images from which each part was encoded.
        device: Where to embed.
        seed: Of the noise and of the position of the gray square.
    """
    sample = stability.sample(encoded.images, seed)
    parts = [
        _perturbed_vectors(part, images, device, seed)
        for part, images in zip(encoded.parts, decoded, strict=True)
    ]
    perturbed = {name: side_by_side([part[name] for part in parts]) for name in parts[0]}
    return stability.stability(encoded.vectors(sample), perturbed)


@lru_cache(maxsize=4)
def perturbed_images(decoded: Decoded, seed: int) -> dict[str, np.ndarray]:
    """A few of the images under each perturbation; computed once for all representations."""
    sample = stability.sample(len(decoded.items), seed)
    return stability.perturb(np.ascontiguousarray(decoded.squares[sample]), seed)


def _perturbed_vectors(
    part: Encoded, decoded: Decoded, device: str, seed: int
) -> dict[str, np.ndarray]:
    digest = cache.key("perturbed", PROTOCOL, part.key, seed)
    path = cache.folder("perturbed", digest) / "codes.npz"
    if (stored := cache.read_arrays(path)) is not None:
        return stored
    perturbed = perturbed_images(decoded, seed)
    stacked = encode.embed(part.rep, np.concatenate(list(perturbed.values())), device)
    vectors = dict(zip(perturbed, np.split(stacked, len(perturbed)), strict=True))
    cache.write_arrays(path, **vectors)
    return vectors


def reconstruct(
    encoded: EncodedCandidate, images: ImageCollection, gram: Gram
) -> Reconstruction | None:
    """Least-squares reconstruction from the sample's vectors; None where there is one group."""
    groups = images.groups[images.sample]
    digest = cache.key(
        "kept",
        PROTOCOL,
        [part.key for part in encoded.parts],
        images.decoded.key,
        groups.tolist(),
        images.sample.tolist(),
        images.seed,
    )
    path = cache.folder("reconstructions", digest) / "kept.npz"
    stored = cache.read_arrays(path)
    if stored is None:
        parts = reconstruction.sample(groups, images.seed)
        if parts is None:
            return None
        new = reconstruction.reconstruct(gram, _targets(images), parts, images.seed)
        stored = {
            "numbers": np.array([new.explained, new.detail, new.psnr]),
            "reconstructions": new.images,
        }
        cache.write_arrays(path, **stored)
    explained, detail, psnr = stored["numbers"].tolist()
    return Reconstruction(explained, detail, psnr, stored["reconstructions"])


def originals(images: ImageCollection) -> tuple[np.ndarray, list[str]]:
    """The images that `reconstruct` returns, uint8 (7, 32, 32, 3), and their paths."""
    parts = reconstruction.sample(images.groups[images.sample], images.seed)
    if parts is None:
        return np.zeros((0, reconstruction.SIDE, reconstruction.SIDE, 3), np.uint8), []
    displayed, items = parts.test[:REBUILT], images.decoded.items
    paths = [items[row].path for row in images.sample[displayed]]
    return (_targets(images)[displayed] * 255).round().astype(np.uint8), paths


@lru_cache(maxsize=1)
def _targets(images: ImageCollection) -> np.ndarray:
    """The sample at 32 × 32, float32 in [0, 1]."""
    return reconstruction.target(images.decoded.squares[images.sample])


def exact_inverse(
    rep: Representation, decoded: Decoded, device: str, reading: images.Reading
) -> ExactInverse | None:
    """PSNR of an exact inverse on a few files at their own size; None where there is none."""
    if rep.inverse != "exact":
        return None
    psnr: list[float] = []
    for item, facts in zip(decoded.items, decoded.facts, strict=True):
        if facts.width * facts.height <= _MAX_PIXELS and len(psnr) < _NATIVE_FILES:
            try:
                image = images.read(item.read(), **reading.keywords).to(device)
                with torch.inference_mode():
                    inverted = rep.invert(rep.encode(image))
            except (BadFile, NoInverse):
                continue
            error = float((inverted - image).double().square().mean())
            psnr.append(min(_MAX_PSNR, decibels(error, 1e-30)))
    return ExactInverse(float(np.mean(psnr)), code_numbers(rep, decoded, device)) if psnr else None


def code_numbers(rep: Representation, decoded: Decoded, device: str) -> int:
    """Real numbers in the code of one image; a complex number counts as two."""
    with torch.inference_mode():
        tensors = rep.encode(images.batch(decoded.squares[:1], device)).tensors().values()
    return sum(tensor.numel() * (2 if tensor.is_complex() else 1) for tensor in tensors)
