"""The functions of `import imrep`, and what they return."""

from imrep.api.comparison import Comparison, compare
from imrep.api.embedding import Embedding, embed
from imrep.api.single import invert, match, picture

__all__ = [
    "Comparison",
    "Embedding",
    "compare",
    "embed",
    "invert",
    "match",
    "picture",
]
