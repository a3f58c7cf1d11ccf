"""`evaluate`: the usual figures of representations of images and text, with intervals."""

from collections.abc import Callable
from typing import Any, Literal, get_args

from imrep import checks, images
from imrep.api.evaluation_tasks import Job
from imrep.api.image_text import Options
from imrep.base import Representation
from imrep.evaluation.figures import Figures
from imrep.language import prompts

Task = Literal["zeroshot", "retrieval", "probe", "caption"]
TASKS: tuple[str, ...] = get_args(Task)


def evaluate(  # noqa: PLR0913  # one argument for each option of the command
    representation: str | Representation,
    data: Any,
    *,
    task: Task,
    templates: Any = None,
    size: int | None = 64,
    seed: int = 0,
    threads: int | None = None,
    device: str = "cpu",
    download: bool = False,
    max_pixels: int = images.MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Figures:
    """The figures of a task, each with its 95 % interval over images.

    - "zeroshot": balanced accuracy, top-1 and top-5, by the names of the classes.
    - "retrieval": R@1, R@5 and R@10 of captions from images and of images from captions.
    - "probe": of classes the balanced accuracy of logistic regression, of several labels the mean
      average precision of linear support vector machines, on frozen vectors, across folds.
    - "caption": exact matches and CIDEr-D of what a representation writes of each image.

    Args:
        representation: A spec, or a representation.
        data: Labelled images as `compare` takes them; for "retrieval" and "caption" a file or
            folder of captions, as `imrep.datasets.captions.find` reads it.
        task: One of these names.
        templates: Of "zeroshot", as for `classify`.
        size: Side in pixels of the squares that images are read at, unless the representation has
            its own; None keeps each at its own size.
        seed: Of the folds of a probe.
        threads: Threads that read and encode; None for as many as torch has.
        device: Where to encode, as torch names it.
        download: Whether published weights that are not on this machine are fetched.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it (`images.Reading`).
        progress: Called with a phrase, the number done and the total.

    Raises:
        BadData: There are no images, or not the labels or captions that the task needs.
        BadParameter: The representation lacks what the task needs.
        WeightsNeeded: Its weights are not on this machine.
    """
    checks.one_of(task, TASKS, "evaluate", "task")
    options = Options(
        caller="evaluate",
        size=size,
        threads=threads,
        device=device,
        download=download,
        max_pixels=max_pixels,
        data_range=data_range,
        progress=progress,
    )
    sentences = prompts.read_templates(templates)
    rep = options.resolve(representation)
    job = Job(rep, data, options, sentences, seed)
    return {
        "zeroshot": job.zeroshot,
        "retrieval": job.retrieval,
        "probe": job.probe,
        "caption": job.caption,
    }[task]()
