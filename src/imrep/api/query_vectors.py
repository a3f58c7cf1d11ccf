"""The vector of a query: of words, or of an image."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imrep import images
from imrep.base import Representation
from imrep.datasets import file_types, in_memory
from imrep.embedding.image_vectors import Settings, unit
from imrep.errors import BadData, BadFile
from imrep.io.names import printable
from imrep.language import text_vectors
from imrep.types import Progress


def is_file(query: str) -> bool:
    """Whether a text is the name of a file."""
    try:
        return "\0" not in query and Path(query).expanduser().is_file()
    except OSError:  # longer than the system allows
        return False


def words(query: Any, elsewhere: str = "") -> str | None:
    """The query as words; None where it is an image.

    Args:
        query: Words, the path of an image, or an image.
        elsewhere: Where else a name was looked up, for the message.

    Raises:
        BadData: It is empty, or the path of an image that does not exist.
    """
    if not isinstance(query, str) or is_file(query):
        return None
    text = " ".join(query.split())
    if not text:
        raise BadData("search needs words or an image, got an empty text. Say what to look for.")
    if " " not in text and file_types.by_name(text) == "picture":
        raise BadData(f"search needs words or an image, got no file {printable(text)}{elsewhere}.")
    return text


def of_words(
    rep: Representation, text: str, progress: Progress | None = None
) -> NDArray[np.float32]:
    """The vector of words (d,), of length one.

    Raises:
        BadParameter: The representation embeds no text.
    """
    return text_vectors.embed(text_vectors.bilingual(rep, "search"), [text], progress)[0]


def of_image(rep: Representation, query: Any, settings: Settings) -> NDArray[np.float32]:
    """The vector of an image (d,), of length one.

    Raises:
        BadData: It is no image.
        BadFile: It cannot be read.
    """
    source = Path(query).expanduser() if isinstance(query, str | Path) else query
    (item,) = in_memory.dataset([source], reading=settings.reading, caller="search").items
    try:
        pixels, _ = images.square(item.read(), settings.size, **settings.reading.canvas_keywords)
    except BadFile as error:
        raise BadFile(f"{name(query)}: {error}") from error
    with torch.no_grad():
        vector = rep.embed(images.batch(pixels[None], settings.device)).float().cpu().numpy()
    return unit(vector)[0]


def name(query: Any) -> str:
    """The query for a title: words, or the name of the file."""
    if isinstance(query, str) and not is_file(query):
        return printable(" ".join(query.split()))
    return printable(Path(query).name) if isinstance(query, str | Path) else "the image"
