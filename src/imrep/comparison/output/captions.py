"""Retrieval of captions as rows of results.jsonl."""

from collections.abc import Sequence

from imrep.comparison.conclusions.caption_retrieval import CaptionRetrieval
from imrep.comparison.output.rows import Rows


def add(rows: Rows, results: Sequence[CaptionRetrieval]) -> None:
    """Recalls both ways; of the first alone the detail is empty."""
    for each in results:
        for metric, recalls in (
            ("text_to_image", each.text_to_image),
            ("image_to_text", each.image_to_text),
        ):
            for k, recall in recalls.items():
                rows.add_for(
                    each.encoded,
                    f"accuracy.{metric}",
                    recall.value,
                    "share",
                    lo=recall.low,
                    hi=recall.high,
                    detail="" if k == 1 else f"R@{k}",
                )
