"""What an exported file says of itself, as texts by name."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from imrep import __version__
from imrep.errors import BadFile, short_repr
from imrep.images import Reading

FORMAT = "1"

Output = Literal["vectors", "class", "value", "labels"]
OUTPUTS: tuple[Output, ...] = ("vectors", "class", "value", "labels")

_PREFIX = "imrep."


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """The facts of an exported file.

    Attributes:
        spec: The representation, or the name of the model in its comparison.
        fingerprint: The representation's, or the digest of the saved model.
        size: Side in pixels of the squares that it takes.
        crop: That side over an image's short side.
        resampling: Filter by which a file is resized to the square.
        output: What it gives: vectors, probabilities of classes, a number, probabilities of labels.
        names: The classes or labels in the order of the output, or the name of the number.
        imrep: Version that wrote it.
        data_range: Black and white of files that do not state them.
    """

    spec: str
    fingerprint: str
    size: int
    crop: float = 1.0
    resampling: str = "bilinear"
    output: Output = "vectors"
    names: tuple[str, ...] = ()
    imrep: str = __version__
    data_range: tuple[float, float] | None = None

    @property
    def texts(self) -> dict[str, str]:
        """JSON values by name, each name with a prefix."""
        facts = {"format": FORMAT, **asdict(self)}
        return {
            _PREFIX + name: value if isinstance(value, str) else json.dumps(value)
            for name, value in facts.items()
        }

    def framed(self, reading: Reading) -> Reading:
        """The reading with the crop and the filter of the square."""
        from dataclasses import replace

        data_range = reading.data_range or self.data_range
        return replace(reading, crop=self.crop, resampling=self.resampling, data_range=data_range)


def parsed(texts: Mapping[str, str], path: object) -> Metadata:
    """The metadata of a file.

    Args:
        texts: As `Metadata.texts` gives them, among others.
        path: The file, for messages.

    Raises:
        BadFile: Another program wrote it, or another version of imrep.
    """
    own = {
        key.removeprefix(_PREFIX): text for key, text in texts.items() if key.startswith(_PREFIX)
    }
    if "format" not in own:
        raise BadFile(
            f"{path} needs the metadata of imrep (spec, size, crop), got a model of another "
            "origin. Export it with: imrep export SPEC -o model.onnx."
        )
    if own["format"] != FORMAT:
        raise BadFile(
            f"{path} needs format {FORMAT}, got {own['format']}. Update imrep, or export again."
        )
    try:
        return _metadata(own)
    except (KeyError, ValueError, TypeError) as error:
        raise BadFile(
            f"{path} needs complete metadata, got {short_repr(error)}. Export it again."
        ) from error


def _metadata(own: Mapping[str, str]) -> Metadata:
    output: Any = own["output"]
    size, crop = json.loads(own["size"]), json.loads(own["crop"])
    if output not in OUTPUTS or not isinstance(size, int) or size < 1:
        raise ValueError(f"output {output!r} and size {size!r}")
    data_range = json.loads(own["data_range"])
    return Metadata(
        spec=own["spec"],
        fingerprint=own["fingerprint"],
        size=size,
        crop=float(crop),
        resampling=own["resampling"],
        output=output,
        names=tuple(map(str, json.loads(own["names"]))),
        imrep=own["imrep"],
        data_range=None if data_range is None else (data_range[0], data_range[1]),
    )
