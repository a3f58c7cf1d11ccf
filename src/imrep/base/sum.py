"""Several representations side by side, as one."""

import copy
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor, nn

from imrep import codecheck
from imrep.base.fitted import Fitted
from imrep.base.representation import Representation
from imrep.codes import Views, side_by_side
from imrep.drawing import stack
from imrep.errors import BadParameter, short_repr
from imrep.registry.cards import Card
from imrep.types import Batches, Image, Picture, Vectors


class Sum(Representation[Views]):
    """Several representations side by side, written `a+b`; each vector is divided by its length.

    `imrep compare` judges it by its parts' votes, weighted; its vector is the parts side by side.
    """

    card = Card(title="Sum of views", family="sum", cite="")
    name = "sum"

    def __init__(self, views: Sequence[Representation]) -> None:
        super().__init__()
        self.views = _checked(views)
        self.members = nn.ModuleList(self.views)
        largest = max(self.views, key=lambda view: view.canvas or 0)
        self.canvas, self.crop, self.resampling = largest.canvas, largest.crop, largest.resampling

    @property
    def spec(self) -> str:
        """The views' specs, joined by a plus, or the folder it came from."""
        return self._folder or "+".join(view.spec for view in self.views)

    @property
    def differentiable(self) -> bool:
        """Whether gradients reach the image through any view."""
        return any(view.differentiable for view in self.views)

    @property
    def dim(self) -> int:
        """The views' lengths, added."""
        return sum(view.dim for view in self.views)

    @property
    def needs_fit(self) -> bool:
        """Whether a view does."""
        return any(view.needs_fit for view in self.views)

    def fit(self, images: Image | Batches) -> None:
        """Fit every view that learns from images."""
        batches = images
        if isinstance(images, Iterable) and not isinstance(images, Tensor):
            batches = list(images)  # each view reads them
        for view in self.views:
            if isinstance(view, Fitted):
                view.fit(batches)

    def check_code(self, code: Views) -> None:
        """Refuse another number of codes than of views, and codes that a view refuses.

        Raises:
            BadCode: Naming what is needed.
        """
        codecheck.views(code, self.views, self.spec)

    def encode(self, image: Image) -> Views:
        """One code per view."""
        return Views(tuple(view.encode(image) for view in self.views))

    def pool(self, code: Views) -> Vectors:
        """The views' vectors, each of length one, side by side."""
        pairs = zip(self.views, code.codes, strict=True)
        return side_by_side([view._pool_unchecked(part) for view, part in pairs])

    def picture(self, code: Views, image: Image | None = None) -> Picture:
        """The views' pictures, one above the other."""
        pairs = zip(self.views, code.codes, strict=True)
        return stack([view.picture(part, image) for view, part in pairs])

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The views, and if `deep` the parameters of each as `NAME__key`.

        Of views with one name the first is `NAME1`, the second `NAME2`.
        """
        params: dict[str, Any] = {"views": self.views}
        if deep:
            for label, view in self._labelled():
                params |= {f"{label}__{key}": value for key, value in view.get_params().items()}
        return params

    def set_params(self, **params: Any) -> "Representation":
        """Rebuild the views that are named, as `get_params` names them; the others stay.

        Raises:
            BadParameter: If there is no such view or parameter, or a value is out of range; the
                sum is then unchanged.
        """
        views = Sum(params.pop("views", self.views))._labelled()
        changes: dict[str, dict[str, Any]] = {label: {} for label, _ in views}
        for name, value in params.items():
            label, _, key = name.partition("__")
            if label not in changes or not key:
                takes = ", ".join(f"{label}__KEY" for label in changes)
                raise BadParameter(
                    f"{self.spec} has no parameter {name!r}; it takes views, {takes}"
                )
            changes[label][key] = value
        rebuilt = Sum([_changed(view, changes[label]) for label, view in views])
        self.__dict__ = rebuilt.__dict__
        return self

    def extra_repr(self) -> str:
        """Nothing: the views are printed as members."""
        return ""

    def __sklearn_clone__(self) -> "Representation":
        return Sum(tuple(view.__sklearn_clone__() for view in self.views))

    def _identity(self) -> str:
        return "+".join(view._identity() for view in self.views)

    def _blank_spec(self) -> str:
        return "+".join(view._blank_spec() for view in self.views)

    def _class_names(self) -> list[str]:
        return [name for view in self.views for name in view._class_names()]

    def _labelled(self) -> list[tuple[str, Representation]]:
        """The views by name, numbered where a name repeats."""
        counts, numbers = Counter(view.name for view in self.views), Counter[str]()
        labels: list[str] = []
        for view in self.views:
            numbers[view.name] += 1
            repeated = counts[view.name] > 1
            labels.append(f"{view.name}{numbers[view.name]}" if repeated else view.name)
        return list(zip(labels, self.views, strict=True))


def _checked(views: Any) -> tuple[Representation, ...]:
    """The views of a sum as a tuple.

    Raises:
        BadParameter: If they are not representations, or there are none.
    """
    members = tuple(views) if isinstance(views, Sequence) and not isinstance(views, str) else ()
    if not members or not all(isinstance(view, Representation) for view in members):
        raise BadParameter(
            f"a sum needs a list of representations, got {short_repr(views)}. "
            "Build it from a spec: imrep.get('hog+dct')."
        )
    return members


def _changed(view: Representation, params: dict[str, Any]) -> Representation:
    """The view itself, or a copy with other parameters."""
    return copy.deepcopy(view).set_params(**params) if params else view
