"""The metrics of the tables: heading, definition and form of each."""

from collections.abc import Callable
from typing import NamedTuple

from imrep.report import words

Format = Callable[[float | None], str]


class Metric(NamedTuple):
    """A kind and metric of results.jsonl as a column."""

    kind: str
    metric: str
    text: Format
    title: str
    definition: str
    low_first: bool = False  # the first click on the heading sorts in ascending order


MAIN = (
    Metric(
        *("accuracy", "probe", words.percent, "accuracy"),
        "Balanced accuracy of the classifier on images it was not trained on: the share of images "
        "classified correctly, averaged over the classes.",
    ),
    Metric(
        *("accuracy", "r2", words.percent, "R²"),
        "Share of the number's variance that is explained in images that were not trained on: 100% "
        "less the squared error over that of always saying the mean. Guessing has 0%; below that "
        "the predictions are worse than guessing.",
    ),
    Metric(
        *("accuracy", "error", words.digits, "mean error"),
        "Mean absolute error of the predictions, in the unit of the number; where ratios are "
        "compared the factor that they are off by on average.",
        low_first=True,
    ),
    Metric(
        *("accuracy", "precision", words.percent, "mean AP of the labels"),
        "Mean average precision over the labels, on images that the classifier was not trained on. "
        "For each label all images are ranked by its score. Average precision is the mean, over "
        "the images that have the label, of the share of such images among those ranked up to "
        "there. Its bias where images are few is taken away (jackknife).",
    ),
    Metric(
        *("accuracy", "by", words.percent, "by"),
        "The classifier that was chosen inside most training folds: linear, or a kernel (gaussian: "
        "of the distance between vectors; exponential: of the distance between standardised ones).",
    ),
    Metric(
        *("accuracy", "linear", words.percent, "linear accuracy"),
        "The same with a linear classifier alone. Far below: what tells the images apart "
        "is in the vectors, but not on a straight line.",
    ),
    Metric(
        *("accuracy", "knn", words.percent, "k-NN accuracy"),
        "Balanced accuracy of a vote of the 20 nearest training images. It decides nothing.",
    ),
    Metric(
        *("accuracy", "retrieval", words.percent, "mean average precision"),
        "An image of an object is the query and all others are ranked. 100% means that the "
        "object's other images come first.",
    ),
    Metric(
        *("accuracy", "text_to_image", words.percent, "text → image R@1"),
        "Captions whose own image is the most similar of all, where the images have captions and "
        "the representation embeds text. The further recalls are in results.jsonl.",
    ),
    Metric(
        *("accuracy", "image_to_text", words.percent, "image → text R@1"),
        "Images of which the most similar of all captions is one of their own.",
    ),
    Metric(
        *("difference", "p_flip", words.probability, "p-value"),
        "Probability of a difference to the best at least as large as this one if the two were "
        "equally accurate (sign-flip test). It is not adjusted for the number of comparisons. The "
        "verdict is, so it may call two tied in spite of a small value.",
    ),
    Metric(
        *("cost", "ms", words.digits, "ms per image"),
        "Milliseconds of processor time from one decoded image to its vector, on this machine.",
        low_first=True,
    ),
    Metric(
        *("cost", "bytes", words.kilobytes, "KB per image"),
        "Size of one vector in kilobytes (1,000 bytes), at four bytes a number.",
        low_first=True,
    ),
    Metric(
        *("cost", "dimensions", words.count, "dimensions"), "Length of the vector.", low_first=True
    ),
    Metric(
        *("information", "kept", words.percent, "R² image"),
        "Share of the variance of unseen images, reduced to 32 × 32, that a least-squares "
        "reconstruction from the vector explains. 0%: no better than the mean image. The "
        "reconstruction is a ridge regression fitted on this folder. It needs 200 images. "
        "Information that does not appear in it may still be in the vector.",
    ),
    Metric(
        *("information", "detail", words.percent, "R² detail"),
        "The same after subtraction of what a 4 × 4 thumbnail contains.",
    ),
    Metric(
        *("stability", "moves", words.ratio, "sensitivity"),
        "Mean displacement of the vector under nine perturbations of the image, relative to the "
        "distance between two images; each counts for 1 at most. 0: the vector does not change. "
        "Low is no merit by itself: a constant vector has 0.",
    ),
    Metric(
        *("cost", "fit_s", words.digits, "fit, s"),
        "Seconds of processor time to fit it once, for example a codebook.",
        low_first=True,
    ),
)
SPREAD = (
    Metric(
        *("labelfree", "effective_dimensions", words.digits, "effective dimensions"),
        "Participation ratio of the spectrum of the vectors' covariance.",
    ),
    Metric(
        *("labelfree", "share1", words.percent, "first component"),
        "Share of the variance along the first principal component.",
    ),
    Metric(
        *("labelfree", "share10", words.percent, "ten components"),
        "Share of the variance along the first ten principal components.",
    ),
    Metric(
        *("information", "code_numbers", words.count, "numbers in the code"),
        "Numbers in the code of an image, before pooling. The exact inverse starts from the code.",
    ),
    Metric(
        *("cost", "images_s", words.count, "images per second"),
        "Per second of processor time, encoding alone.",
    ),
    Metric(
        *("cost", "wall_ms", words.digits, "wall-clock ms"),
        "Milliseconds by the clock per image.",
        low_first=True,
    ),
    Metric(
        *("cost", "memory", words.megabytes, "MB of memory"),
        "Peak memory while encoding, above that of the idle program, in MB of 1,000,000 bytes.",
        low_first=True,
    ),
)
