"""Models of images by what was fitted: of classes, of numbers, or of sets of labels."""

from contextlib import nullcontext
from pathlib import Path

from imrep import weights
from imrep.api.image_classifier import ImageClassifier
from imrep.api.image_regressor import ImageRegressor
from imrep.api.image_tagger import ImageTagger
from imrep.io.names import as_path
from imrep.models import saved
from imrep.models.fitted_classifier import FittedClassifier
from imrep.models.fitted_model import FittedModel
from imrep.models.fitted_regressor import FittedRegressor
from imrep.models.fitted_tagger import FittedTagger

AnyModel = ImageClassifier | ImageRegressor | ImageTagger


def load_model(folder: str | Path, *, download: bool = False) -> AnyModel:
    """A classifier, regressor or tagger that `compare` saved.

    Args:
        folder: The folder of `save`.
        download: Whether published weights that are not on this machine are fetched.

    Raises:
        BadData: There is none, or its files are not as they were saved.
        StoreMismatch: This version of imrep makes other vectors than the one that saved it.
        WeightsNeeded: Its network's weights are not on this machine.
        ExtraNeeded: It needs a package that is not installed.
    """
    with weights.allow_download() if download else nullcontext():
        return of(saved.read(as_path(folder, "load_model", "a folder")))


def of(fitted: FittedModel) -> AnyModel:
    """The model of images of what was fitted."""
    if isinstance(fitted, FittedRegressor):
        return ImageRegressor(fitted)
    if isinstance(fitted, FittedTagger):
        return ImageTagger(fitted)
    assert isinstance(fitted, FittedClassifier)  # there is no other
    return ImageClassifier(fitted)
