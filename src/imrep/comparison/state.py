"""What a comparison has decoded, encoded and failed to run so far."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imrep.adapters import MadeOutside
from imrep.base import Representation, Supervised
from imrep.comparison.candidates import Absent, Candidate
from imrep.comparison.data.image_collection import ImageCollection, collect
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.datasets import Dataset
from imrep.embedding import encode
from imrep.embedding.decoded_images import Decoded, decode, digests
from imrep.embedding.encode import Encoded
from imrep.embedding.training import Labels, train_and_encode
from imrep.errors import BadData, BadParameter, ImrepError
from imrep.images import Reading
from imrep.types import Progress


@dataclass(kw_only=True)
class State:
    """Images decoded once at each size, and the candidates that could not be encoded.

    Args:
        dataset: The images.
        size: Side in pixels of the comparison's own squares.
        seed: Of folds, draws and noise.
        reading: How files become pixels.
        readers: Threads that read and decode files.
        device: Where to encode, as torch names it.
        progress: Called with the step, how much of it is done, and of how much.
        labels: The classes, for what is trained on them; None without any.
    """

    dataset: Dataset
    size: int
    seed: int
    reading: Reading
    readers: int
    device: str
    progress: Progress
    labels: Labels | None = None
    failed: list[Absent] = field(default_factory=list, init=False)
    _decoded: dict[tuple[int, Reading], Decoded] = field(default_factory=dict, init=False)
    _digests: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.progress("reading the files", 0, len(self.dataset.items))
        self._digests = digests(self.dataset.items, self.readers)

    def decoded(self, size: int, reading: Reading | None = None) -> Decoded:
        """The images at one size, read as settings say or otherwise."""
        reading = reading or self.reading
        if (size, reading) not in self._decoded:
            self._decoded[size, reading] = decode(
                self.dataset.items,
                self._digests,
                size,
                threads=self.readers,
                reading=reading,
                progress=self.progress,
            )
        return self._decoded[size, reading]

    def relabel(self, dataset: Dataset) -> None:
        """Take the same images with other labels."""
        self.dataset = dataset
        self._decoded.clear()  # their items have the labels; the pixels are read from the cache

    def decoded_alike(self, size: int, reading: Reading | None = None) -> Decoded:
        """The images at one size, the same as at the comparison's own.

        Raises:
            BadData: The readable files differ from those at the comparison's own size.
        """
        images = self.decoded(size, reading)
        if images.items != self.decoded(self.size).items:
            raise BadData(
                f"other files can be read at {images.size} px. Leave the broken ones out."
            )
        return images

    def collect(self, left_out: Sequence[int] = ()) -> ImageCollection:
        """The readable images with their near-duplicates and groups.

        Args:
            left_out: Rows of images that no score is computed from.

        Raises:
            BadData: No image can be read.
        """
        images = self.decoded(self.size)
        if not images.items:
            reasons = "; ".join(f"{path}: {reason}" for path, reason in images.skipped[:3])
            raise BadData(
                f"{self.dataset.name} needs an image that can be read, got none. {reasons}"
            )
        self.progress("looking for near-duplicates", 0, 100)
        return collect(self.dataset, images, self.seed, self.progress, left_out)

    def encode(self, candidates: Sequence[Candidate], size: int) -> list[EncodedCandidate]:
        """Vectors of every candidate that can run; the others join `failed` with the reason."""
        vectors: dict[tuple[str, str, int, Reading], Encoded] = {}
        encoded = []
        for candidate in candidates:
            read = candidate.canvas or size, candidate.framed(self.reading)
            try:
                _check_parts(candidate)
                keys = [(part.spec, part.fingerprint, *read) for part in candidate.parts]
                for key, part in zip(keys, candidate.parts, strict=True):
                    if key not in vectors:
                        vectors[key] = self._encode_part(part, *read)
            except OSError:  # a full disk, for example: it concerns all candidates
                raise
            except Exception as error:
                prefix = "" if size == self.size else f"at {size} px: "
                self.failed.append(Absent(candidate.spec, "error", prefix + _reason(error)))
            else:
                parts = tuple(vectors[key] for key in keys)
                encoded.append(EncodedCandidate(candidate, parts))
        return encoded

    def _encode_part(self, part: Representation, size: int, reading: Reading) -> Encoded:
        if isinstance(part, MadeOutside):
            return encode.made_outside(part, self.decoded(self.size))
        rep = part.to(self.device).eval()
        decoded = self.decoded_alike(size, reading)
        if isinstance(rep, Supervised) and rep.needs_fit:
            return self._train(rep, decoded)
        return encode.encode(rep, decoded, self.device, self.progress)

    def _train(self, rep: Supervised, decoded: Decoded) -> Encoded:
        if self.labels is None:
            raise BadData(
                f"{rep.name} needs images of two classes or more to train on, and to be judged by "
                "classes, not objects. Put the images of each class into a folder of its own, or "
                "pass weights=FOLDER."
            )
        return train_and_encode(rep, decoded, self.labels, self.device, self.progress)


def _check_parts(candidate: Candidate) -> None:
    """Refuse a sum of what has to be trained.

    Raises:
        BadParameter: Its parts would be weighed by scores of images whose labels one has learned.
    """
    for part in candidate.parts[1:] and candidate.parts:
        if isinstance(part, Supervised) and part.needs_fit:
            raise BadParameter(
                f"a sum needs parts that are trained already, got {part.spec}. "
                f"Compare {part.spec} alone, or pass its weights=FOLDER."
            )


def _reason(error: Exception) -> str:
    """Why a representation could not run, on one line; for a bug, with its location."""
    if isinstance(error, ImrepError):
        return " ".join(str(error).split())
    frame = traceback.extract_tb(error.__traceback__)[-1]
    location = f"{Path(frame.filename).name}:{frame.lineno}"
    return " ".join(f"{type(error).__name__} in {location}: {error}".split())
