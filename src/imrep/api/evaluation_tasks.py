"""The tasks of `evaluate`: the data each needs, and the figures it gives."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imrep.api.data import in_order
from imrep.api.image_text import Options
from imrep.base import Representation
from imrep.datasets import Dataset, captions
from imrep.datasets.target import ANY
from imrep.embedding import cache
from imrep.embedding import captions as writing
from imrep.embedding.image_vectors import ImageVectors
from imrep.errors import BadData, BadParameter
from imrep.evaluation import caption, figures, probe, retrieval, zeroshot
from imrep.evaluation.figures import Figure, Figures
from imrep.io.names import printable
from imrep.language import caption_ranks, prompts, text_vectors
from imrep.language.zeroshot import classifier


@dataclass(frozen=True)
class Job:
    """One representation and one data set."""

    rep: Representation
    data: Any
    options: Options
    templates: tuple[str, ...]
    seed: int

    def zeroshot(self) -> Figures:
        """By the names of the classes."""
        rep = text_vectors.bilingual(self.rep, "evaluate --task zeroshot")
        dataset = self._labelled()
        names = dataset.classes
        words = [prompts.readable(name) for name in names]
        made = classifier(rep, words, self.templates, self.options.progress)
        embedded = self.options.vectors(rep, dataset, self.data)
        truth = zeroshot.matched(embedded.items, names)
        notes = []
        if numbers := [name for name in names if not prompts.has_words(name)]:
            notes.append(
                f"Classes whose names say nothing ({', '.join(numbers[:3])}): their accuracy is "
                "chance."
            )
        rows = zeroshot.accuracies(made, embedded, truth)
        return self._figures("zeroshot", dataset, embedded, rows, notes)

    def retrieval(self) -> Figures:
        """Between images and captions."""
        rep = text_vectors.bilingual(self.rep, "evaluate --task retrieval")
        dataset = self._captioned()
        embedded = self.options.vectors(rep, dataset, self.data)
        if len(embedded) < 2:
            raise BadData("evaluate --task retrieval needs two images or more, got one.")
        texts, owner = caption_ranks.flattened(self._references(dataset, embedded))
        vectors = text_vectors.embed(rep, texts, self.options.progress)
        shared = len(texts) - len(set(zip(texts, owner.tolist(), strict=True)))
        distinct = len(set(texts))
        notes = []
        if distinct < len(texts) - shared:
            notes.append(
                f"{len(texts) - shared - distinct:,} captions are those of another image too; only "
                "their own counts as right."
            )
        rows = retrieval.recalls(embedded.unit, vectors, owner)
        return self._figures("retrieval", dataset, embedded, rows, notes)

    def probe(self) -> Figures:
        """Linear, on frozen vectors."""
        dataset = self.options.dataset(self.data, ANY)
        progress = self.options.progress or (lambda *_: None)
        if dataset.target.kind == "value":
            raise BadData(
                "evaluate --task probe needs classes or several labels, got numbers. Use imrep "
                "compare."
            )
        if dataset.target.kind == "labels":
            items = [i for i in in_order(dataset.items, self.data) if i.labels is not None]
            embedded = self.options.vectors(self.rep, dataset, self.data, items)
            names = sorted({name for item in embedded.items for name in item.labels or ()})
            positives = np.array([[n in (i.labels or ()) for n in names] for i in embedded.items])
            groups = figures.group_numbers(embedded.items)
            row = probe.precision(embedded.unit, positives, groups, progress, self.seed)
            return self._figures("probe", dataset, embedded, [row])
        dataset = self._labelled()
        items = [i for i in in_order(dataset.items, self.data) if i.label is not None]
        embedded = self.options.vectors(self.rep, dataset, self.data, items)
        labels = np.unique([item.label for item in embedded.items], return_inverse=True)[1]
        groups = figures.group_numbers(embedded.items)
        row = probe.accuracy(embedded.unit, labels, groups, progress, self.seed)
        return self._figures("probe", dataset, embedded, [row])

    def caption(self) -> Figures:
        """What the representation writes."""
        if not isinstance(self.rep, writing.Captioner):
            raise BadParameter(
                f"evaluate --task caption needs a representation that writes captions, got "
                f"{self.rep.spec}. Take virtex."
            )
        dataset = self._captioned()
        finished = self._captions_of(self.rep, dataset)
        skipped = tuple((each.path, each.reason) for each in finished if each.reason)
        captioned = {
            each.path: next((text for text, _ in each.captions), "")
            for each in finished
            if not each.reason
        }
        if not captioned:
            path, reason = skipped[0]
            raise BadData(f"none of the {len(skipped)} files could be read; {path}: {reason}")
        assert dataset.annotations is not None  # `captions.find` sets them
        references = [dataset.annotations.of(path) for path in captioned]
        rows = caption.scores(list(captioned.values()), references)
        return Figures(
            task="caption",
            spec=self.rep.spec,
            data=dataset.name,
            rows=tuple(rows),
            skipped=skipped,
            notes=dataset.notes,
            captions=tuple(captioned.items()),
        )

    def _captions_of(self, rep: writing.Captioner, dataset: Dataset) -> list[writing.Captioned]:
        """The captions of every image; an interrupted run left its own in the cache."""
        own = self.options.settings(self.rep)
        settings = writing.Settings(
            size=own.size, threads=own.threads, device=own.device, reading=own.reading
        )
        entry = cache.folder("captions", writing.key(rep, dataset.items, settings))
        progress = self.options.progress or (lambda *_: None)
        with cache.held(entry):
            return writing.captions(
                rep, dataset.items, settings, progress, entry / "captions.jsonl"
            )

    def _labelled(self) -> Dataset:
        """Images of two classes or more.

        Raises:
            BadData: They are not.
        """
        dataset = self.options.dataset(self.data)
        if not dataset.labelled:
            raise BadData(
                f"evaluate needs labelled images of two classes or more, got {dataset.name} with "
                f"{len(dataset.classes) or 'none'}. Put each class into a folder of its name."
            )
        return dataset

    def _captioned(self) -> Dataset:
        """Images with captions.

        Raises:
            BadData: There are none.
        """
        if not isinstance(self.data, str | Path):
            raise BadData(
                "evaluate needs captions from a file or a folder, got "
                f"{type(self.data).__name__}. Give the path of a csv with columns path, caption."
            )
        return captions.find(self.data)

    def _references(self, dataset: Dataset, embedded: ImageVectors) -> list[tuple[str, ...]]:
        assert dataset.annotations is not None  # `captions.find` sets them
        return [dataset.annotations.of(item.path) for item in embedded.items]

    def _figures(
        self,
        task: str,
        dataset: Dataset,
        embedded: ImageVectors,
        rows: list[Figure],
        notes: list[str] | None = None,
    ) -> Figures:
        return Figures(
            task=task,
            spec=self.rep.spec,
            data=printable(dataset.name),
            rows=tuple(rows),
            skipped=embedded.skipped,
            notes=(*dataset.notes, *(notes or ())),
        )
