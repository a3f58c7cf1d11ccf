"""HOG, which predicts most targets, so that the frame can be compared with something."""

from collections.abc import Sequence

import numpy as np

from imrep import factory
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.embedding import encode
from imrep.embedding.decoded_images import Decoded

REFERENCE = "hog"
"""Its spec."""


def reference_vectors(
    decoded: Decoded, rows: np.ndarray, encoded: Sequence[EncodedCandidate]
) -> np.ndarray | None:
    """Its vectors of these images; None where it is one of the candidates."""
    if any(candidate.spec == REFERENCE for candidate in encoded):
        return None
    return encode.embed(factory.get(REFERENCE), decoded.squares[rows])
