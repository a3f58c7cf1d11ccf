"""A classifier of images as a comparison measured it, fitted to all of its images.

The sum of the scores goes through a discriminant where it helps, and a temperature calibrates the
probabilities.
"""

from dataclasses import dataclass

from jaxtyping import Float, Float64
from numpy import ndarray as Array

from imrep.estimators.calibration import probabilities
from imrep.estimators.discriminant import Discriminant
from imrep.models.fitted_model import FittedModel


@dataclass(frozen=True)
class Measured:
    """What the comparison measured of the classifier, on images that it had not seen.

    Attributes:
        accuracy: Balanced accuracy in [0, 1].
        lo: Lower end of its 95 % interval.
        hi: Upper end.
        guess: Accuracy of guessing.
        n: Number of images.
        groups: Number of groups of them.
        folds: Number of folds.
        protocol: Version of the protocol.
        data: Name of the data set.
    """

    accuracy: float
    lo: float
    hi: float
    guess: float
    n: int
    groups: int
    folds: int
    protocol: str
    data: str


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedClassifier(FittedModel):
    """What names the class of an image.

    Attributes:
        classes: Names of the classes.
        discriminant: Of the sum of the scores; None where the scores are the logits.
        temperature: Factor of the logits.
        prior: "uniform", or "folder" for the shares of the classes.
        log_prior: Added to the logits.
        measured: Its accuracy.
    """

    classes: tuple[str, ...]
    discriminant: Discriminant | None
    temperature: float
    prior: str
    log_prior: Float64[Array, " c"]
    measured: Measured

    @property
    def columns(self) -> int:
        """Number of classes."""
        return len(self.classes)

    def probabilities(self, scores: Float[Array, "q c"]) -> Float64[Array, "q c"]:
        """Calibrated probability of each class from the sum of the parts' scores."""
        logits = scores if self.discriminant is None else self.discriminant(scores)
        return probabilities(logits + self.log_prior / self.temperature, self.temperature)
