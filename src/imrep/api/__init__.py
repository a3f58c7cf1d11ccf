"""The functions of `import imrep`, and what they return."""

from imrep.api.answers import Answers, LabelAnswers, NumberAnswers
from imrep.api.classifying import ZeroShotAnswers, classify
from imrep.api.comparing import compare
from imrep.api.comparison import Comparison
from imrep.api.duplicate_groups import duplicates_sheet, find_duplicates
from imrep.api.embedded import Embedding
from imrep.api.embedding import embed
from imrep.api.evaluating import evaluate
from imrep.api.exporting import export, load_exported
from imrep.api.image_classifier import ImageClassifier
from imrep.api.image_regressor import ImageRegressor
from imrep.api.image_tagger import ImageTagger
from imrep.api.mapping import map
from imrep.api.saved_model import load_model
from imrep.api.searching import search, sheet
from imrep.api.single import invert, match, picture
from imrep.api.training import Training, train
from imrep.duplicates.review import DuplicateGroups
from imrep.evaluation.figures import Figures
from imrep.projection.image_map import ImageMap
from imrep.retrieval.ranking import SearchResult

__all__ = [
    "Answers",
    "Comparison",
    "DuplicateGroups",
    "Embedding",
    "Figures",
    "ImageClassifier",
    "ImageMap",
    "ImageRegressor",
    "ImageTagger",
    "LabelAnswers",
    "NumberAnswers",
    "SearchResult",
    "Training",
    "ZeroShotAnswers",
    "classify",
    "compare",
    "duplicates_sheet",
    "embed",
    "evaluate",
    "export",
    "find_duplicates",
    "invert",
    "load_exported",
    "load_model",
    "map",
    "match",
    "picture",
    "search",
    "sheet",
    "train",
]
