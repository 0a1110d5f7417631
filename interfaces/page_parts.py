"""Pieces of the pages that show recorded runs; everything that is not ours is escaped here."""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from pagehop.errors import PagehopError
from pagehop.trajectories.episode import Episode, RewardRecord
from pagehop.types import FULL_PAGE, Box, PageRef

if TYPE_CHECKING:
    from PIL.Image import Image

    from pagehop.types import PageSource

THUMBNAIL_PIXELS = 90_000
CROP_PIXELS = 400_000
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""No script runs and nothing is fetched, whatever a document's words look like."""


def document(title: str, *body: str) -> str:
    """Return a whole page: one file, no script, nothing fetched."""
    style = files("pagehop.interfaces").joinpath("run_page.css").read_text(encoding="utf-8")
    head = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{words(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head>'
    )
    return f"{head}<body><main>{''.join(body)}</main></body></html>\n"


def words(text: object) -> str:
    """Return text for HTML, without control characters."""
    kept = "".join(c if c.isprintable() or c in "\n\t\u200c\u200d" else " " for c in str(text))
    return escape(kept)


def badge(status: str) -> str:
    """Return how a run ended."""
    return f'<span class="badge {words(status)}">{words(status)}</span>'


def folded(summary: str, text: str, *, is_open: bool = False) -> str:
    """Return text that opens under its summary."""
    opened = " open" if is_open else ""
    return f"<details{opened}><summary>{words(summary)}</summary><pre>{words(text)}</pre></details>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    """Return a table of cells that are HTML already.

    Args:
        heads: Plain words.
        rows: HTML.
        numbers: How many of the last columns hold numbers.
    """
    first = len(heads) - numbers

    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if i >= first else ''}>{value}</{tag}>"
            for i, value in enumerate(values)
        )

    top = cells("th", [words(head) for head in heads])
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def rewards_table(rewards: Sequence[RewardRecord]) -> str:
    """Return rewards with their parts, as numbers and bars."""
    if not rewards:
        return '<p class="soft">No rewards yet.</p>'
    rows = []
    for reward in rewards:
        rows.append(
            [f"<b>{words(reward.name)}</b> {words(reward.target)}", bar(reward.value),
             words(reward.reason), value(reward.value)]
        )  # fmt: skip
        rows += [
            [f"&emsp;{words(name)}", bar(part), "", value(part)]
            for name, part in reward.parts.items()
        ]
    return table(("Reward", "", "Reason", "Value"), rows, numbers=1)


def value(number: float | None) -> str:
    """Return a reward as text; None was not judged."""
    return "?" if number is None else f"{number:.3g}"


def bar(number: float | None) -> str:
    """Return a reward as a bar, one unit wide at 120 pixels."""
    if number is None:
        return ""
    width = min(abs(number), 2.0) * 60
    return f'<span class="bar{" neg" if number < 0 else ""}" style="width:{width:.0f}px"></span>'


def histogram(values: Sequence[float], bins: int = 20) -> str:
    """Return how values are spread."""
    least, most = min(values), max(values)
    span = (most - least) or 1.0
    counts = [0] * bins
    for number in values:
        counts[min(int((number - least) / span * bins), bins - 1)] += 1
    top = max(counts)
    columns = "".join(
        f'<span style="height:{100 * count / top:.0f}%" title="{count}"></span>' for count in counts
    )
    ticks = f"<span>{least:.3g}</span><span>{most:.3g}</span>"
    return f'<div class="hist">{columns}</div><div class="ticks soft">{ticks}</div>'


class Pictures:
    """Renders pages for one page of HTML; what cannot be rendered is left out and said once."""

    def __init__(self, source: "PageSource | None", problem: str = "") -> None:
        """Take where pages are rendered from; None leaves all out."""
        self._source = source
        self.problem = problem
        self._made: dict[tuple[str, Box, int], str] = {}

    def page(self, ref: str, boxes: Sequence[Box] = ()) -> str:
        """Return a thumbnail of a page with boxes on it, its reference below."""
        data = self._data(ref, FULL_PAGE, THUMBNAIL_PIXELS)
        if not data:
            return f'<figure class="page">{words(ref)}</figure>'
        marks = "".join(_mark(box) for box in boxes if box != FULL_PAGE)
        sheet = f'<span class="sheet"><img alt="{words(ref)}" src="{data}">{marks}</span>'
        return f'<figure class="page">{sheet}<figcaption>{words(ref)}</figcaption></figure>'

    def crop(self, ref: str, box: Box, *, marked: bool = False) -> str:
        """Return a part of a page; with a mark, whole lines around it."""
        shown = _lines_around(box) if marked else box
        data = self._data(ref, shown, CROP_PIXELS)
        if not data:
            return ""
        mark = _mark(_within(box, shown)) if marked else ""
        return f'<span class="sheet crop"><img alt="{words(ref)}" src="{data}">{mark}</span>'

    def _data(self, ref: str, box: Box, pixels: int) -> str:
        key = (ref, box, pixels)
        if key not in self._made:
            self._made[key] = self._rendered(ref, box, pixels)
        return self._made[key]

    def _rendered(self, ref: str, box: Box, pixels: int) -> str:
        if self._source is None:
            return ""
        try:
            picture = self._source.crop(PageRef.parse(ref), box, max_pixels=pixels)
        except (PagehopError, ValueError) as error:
            self.problem = self.problem or f"Some pages are not shown: {error}."
            return ""
        return data_uri(picture)


def data_uri(picture: "Image") -> str:
    """Return a picture that stands in the page itself."""
    jpeg = io.BytesIO()
    picture.convert("RGB").save(jpeg, format="JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.getvalue()).decode("ascii")


def asked_head(episode: Episode, model: str) -> str:
    """Return the question, how it ended and what it was asked of."""
    gold = episode.task.gold_answers
    known = f'<p class="soft">Known answer: {words("; ".join(gold))}</p>' if gold else ""
    about = [model or episode.model, episode.graph, episode.effort]
    about += [f"sample {episode.rollout_index}" if episode.rollout_index is not None else ""]
    line = " · ".join(filter(None, about))
    return (
        f"<h1>{words(episode.question)}</h1><p>{badge(episode.status)}"
        f'<span class="soft">{words(line)} · {words(episode.episode_id)}</span></p>{known}'
    )


def _mark(box: Box) -> str:
    left, top, right, foot = (100 * side for side in box)
    place = f"left:{left:.2f}%;top:{top:.2f}%;width:{right - left:.2f}%;height:{foot - top:.2f}%"
    return f'<i style="{place}"></i>'


def _lines_around(box: Box) -> Box:
    """Return the lines of a box from edge to edge, with those beside it: they place a quote."""
    return 0.0, max(box[1] - 0.025, 0.0), 1.0, min(box[3] + 0.025, 1.0)


def _within(box: Box, outer: Box) -> Box:
    """Return a box in fractions of one around it."""
    width, height = outer[2] - outer[0], outer[3] - outer[1]
    return (
        (box[0] - outer[0]) / width,
        (box[1] - outer[1]) / height,
        (box[2] - outer[0]) / width,
        (box[3] - outer[1]) / height,
    )
