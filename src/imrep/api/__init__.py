"""The functions of `import imrep`, and what they return."""

from imrep.api.comparison import Comparison, compare
from imrep.api.embedding import Embedding, embed
from imrep.api.image_classifier import Answers, ImageClassifier, load_model
from imrep.api.single import invert, match, picture

__all__ = [
    "Answers",
    "Comparison",
    "Embedding",
    "ImageClassifier",
    "compare",
    "embed",
    "invert",
    "load_model",
    "match",
    "picture",
]
