"""The interface: an image becomes a code; a code becomes a vector, an image, a picture."""

from imrep.base.examples import Change, Evaluation, Examples, Table, TrainingImages
from imrep.base.fitted import Fitted
from imrep.base.learned import Bilingual, Learned
from imrep.base.recipe import Recipe
from imrep.base.representation import Representation
from imrep.base.sum import Sum
from imrep.base.supervised import Supervised

__all__ = [
    "Bilingual",
    "Change",
    "Evaluation",
    "Examples",
    "Fitted",
    "Learned",
    "Recipe",
    "Representation",
    "Sum",
    "Supervised",
    "Table",
    "TrainingImages",
]
