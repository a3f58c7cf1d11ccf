"""Vectors of texts at length one, each computed once: the cache keeps them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imrep.base import Representation
from imrep.base.learned import Bilingual
from imrep.embedding import image_vectors, texts
from imrep.errors import BadParameter
from imrep.registry import catalog
from imrep.types import Progress


def bilingual(rep: Representation, caller: str) -> "Bilingual":
    """The representation, if it embeds text.

    Raises:
        BadParameter: It does not.
    """
    if isinstance(rep, Bilingual):
        return rep
    names = ", ".join(name for name in catalog.names() if catalog.card(name).text)
    raise BadParameter(
        f"{caller} needs a representation that embeds text, got {rep.spec}. "
        f"Take one that does: {names or 'clip'}."
    )


def embed(
    rep: Bilingual, sentences: Sequence[str], progress: Progress | None = None
) -> NDArray[np.float32]:
    """Vectors of texts at length one, (n, d), from the cache where it has them.

    Args:
        rep: What embeds them.
        sentences: In any order; one that is repeated is embedded once.
        progress: Called with a phrase, the number done and the total.
    """
    return image_vectors.unit(texts.embed(rep, sentences, progress))
