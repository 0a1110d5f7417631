"""How hits, citations and answers show themselves in a notebook.

1. Each value becomes one self-contained piece of HTML: no script, no link to a file, crops as
   data URIs. All text of documents and models is escaped.
2. Colours are inherited or half transparent, so that it reads on a light and on a dark theme.
3. A crop is rendered when the value is shown. If that fails the words still show, with the reason.

Not covered: pictures of an answer beyond the first `MAX_CROPS` citations; their quotes show.
"""

import base64
import hashlib
import io
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pagehop.answers import Answer, Citation, Status, Usage
from pagehop.errors import LibraryError, PagehopError
from pagehop.types import Box, Hit, PageRef

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_CROPS = 12
"""Pictures in one answer; a crop takes about 30 ms to render and 30 KB in the notebook."""
WIDTH_PX = 900
"""Width aimed at for a crop: twice what is shown, for displays of high density."""
_HIT_CHARACTERS = 420
_PAPER = 200
"""Grey value from which a pixel counts as not printed."""
_KEPT = "\n\t\u200c\u200d"
"""Not printable by Python's rule, yet part of how text is written (joiners of Indic scripts)."""

STATUS_COLOURS: dict[Status, str] = {
    "answered": "#1a7f4b",
    "unanswerable": "#6b5b95",
    "exhausted": "#b06a00",
    "failed": "#b3261e",
}

_STYLE = """<style>
.pagehop{font-size:14px;line-height:1.5;max-width:60em;margin:.4em 0}
.pagehop .ph-item{margin:.6em 0;padding:.1em 0 .1em .8em;border-left:3px solid rgba(128,128,128,.4)}
.pagehop .ph-item:target{border-left-color:#2f7ed8}
.pagehop .ph-soft{opacity:.75;font-size:.9em}
.pagehop .ph-badge{color:#fff;border-radius:.8em;padding:.05em .7em;font-size:.85em}
.pagehop .ph-text{white-space:pre-wrap;margin:.5em 0}
.pagehop blockquote{margin:.2em 0;padding:0;border:0;font-style:normal;white-space:pre-wrap}
.pagehop img{display:block;margin:.3em 0;max-width:min(100%,640px);max-height:420px;
border:1px solid rgba(128,128,128,.5);border-radius:3px;background:#fff}
.pagehop a{color:#2f7ed8;text-decoration:none}
.pagehop .ph-warning{border-left-color:#d39200}
</style>"""


def hit_html(hit: Hit) -> str:
    """Show one search result: where it stands, why it was found, its words and its crop."""
    return _frame(_hit(hit))


def hits_html(hits: Sequence[Hit], note: str = "") -> str:
    """Show search results, best first, under what a user should know of the search."""
    head = f"{len(hits)} page{'' if len(hits) == 1 else 's'} found"
    return _frame(_soft(head), _warnings([note] if note else []), *map(_hit, hits))


def citation_html(citation: Citation) -> str:
    """Show one quote, where it stands and its crop with the quote marked."""
    return _frame(_citation(citation))


def answer_html(answer: Answer) -> str:
    """Show question, status, answer with linked markers, citations, warnings and what it cost."""
    key = hashlib.sha256(repr((answer.question, answer.text)).encode()).hexdigest()[:8]
    citations = [
        _citation(c, number=i, anchor=f"ph-{key}-{i}", with_crop=i <= MAX_CROPS)
        for i, c in enumerate(answer.citations, start=1)
    ]
    error = f'<div class="ph-item ph-warning">{_text(answer.error)}</div>' if answer.error else ""
    return _frame(
        f"<div><strong>{_text(answer.question)}</strong> {_badge(answer.status)}</div>",
        f'<div class="ph-text">{_linked(answer.text, len(citations), key)}</div>',
        error,
        *citations,
        _warnings(answer.warnings),
        _soft(usage_line(answer.usage)),
    )


def usage_line(usage: Usage) -> str:
    """Say in one line what a run spent; what is zero is left out."""
    counted = [
        (usage.steps, "step", "steps"),
        (usage.rounds, "round", "rounds"),
        (usage.tool_calls, "tool call", "tool calls"),
        (usage.model_calls, "model call", "model calls"),
        (usage.input_tokens + usage.output_tokens, "token", "tokens"),
    ]
    parts = [f"{n:,} {one if n == 1 else many}" for n, one, many in counted if n]
    money = [f"{usage.money:.4f} money"] if usage.money else []
    return ", ".join([*parts, *money, f"{usage.seconds:.1f} s"])


def picture(value: Hit | Citation, *, marked: bool = False, width_px: int = WIDTH_PX) -> "Image":
    """Render a box with a little of the page around it, cut to whole lines.

    Args:
        value: What to show; its box is widened, as a quote of one line alone is hard to place.
        marked: Whether to mark the quote.
        width_px: About how wide the picture becomes.

    Raises:
        PagehopError: There is no library to render from, or the page cannot be rendered.
    """
    if value.pictures is None:
        raise LibraryError("this value was read from a record, without its library")
    shown = surroundings(value.box)
    width, height = shown[2] - shown[0], shown[3] - shown[1]
    # 1.35 is a page between letter and A4; on another shape the crop is only wider or narrower.
    pixels = round(width_px * width_px * min(1.35 * height / width, 1.0))
    image = value.pictures.crop(value.ref, shown, max_pixels=max(pixels, 20_000)).convert("RGB")
    image.thumbnail((width_px, width_px))
    edges = _whole_lines(image, value.box, shown)
    whole = mark(image, lines_of(value), shown) if marked else image
    return whole.crop((0, edges[0], image.width, edges[1]))


def jpeg(value: Hit | Citation, *, marked: bool = False) -> bytes:
    """Return `picture` as a small file for a notebook.

    Raises:
        PagehopError: As `picture`.
    """
    out = io.BytesIO()
    picture(value, marked=marked).save(out, format="JPEG", quality=82, optimize=True)
    return out.getvalue()


def surroundings(box: Box) -> Box:
    """Return what to show around a quote: a margin, and enough of the page to know the place."""
    x0, x1 = _widened(box[0] - 0.025, box[2] + 0.025, least=0.62)
    y0, y1 = _widened(box[1] - 0.025, box[3] + 0.025, least=0.13)
    return (x0, y0, x1, y1)


def lines_of(value: Hit | Citation) -> tuple[Box, ...]:
    """Return one box a line of a citation's quote, or its one box where lines are not known."""
    locate = getattr(value.pictures, "locate", None)  # a view has it, not every source of pictures
    if isinstance(value, Hit) or not value.verified or locate is None:
        return (value.box,)
    located = locate(value.ref, value.quote)
    return (located.boxes if located else ()) or (value.box,)


def mark(image: "Image", boxes: Sequence[Box], shown: Box) -> "Image":
    """Lay a marker over boxes of a page, and one thin frame just outside all of them.

    Args:
        image: Picture of `shown`.
        boxes: What to mark: the lines of a quote.
        shown: A larger box of the same page.
    """
    from PIL import Image, ImageChops, ImageDraw  # noqa: PLC0415 - only pictures need it

    air = max(3.0, image.width / 300)
    areas = [_pixels(box, image, shown) for box in boxes]
    marker = Image.new("RGB", image.size, "white")
    for x0, y0, x1, y1 in areas:
        ImageDraw.Draw(marker).rectangle((x0 - air, y0, x1 + air, y1), fill=(255, 238, 160))
    marked = ImageChops.multiply(image, marker)  # keeps black letters black
    lefts, tops, rights, bottoms = zip(*areas, strict=True)
    air *= 1.5
    frame = (min(lefts) - air, min(tops) - air / 2, max(rights) + air, max(bottoms) + air / 2)
    ImageDraw.Draw(marked).rectangle(frame, outline=(214, 90, 0), width=max(2, image.width // 450))
    return marked


def _pixels(box: Box, image: "Image", shown: Box) -> Box:
    """Return where a box of a page is in the picture of a larger box of it."""
    across, down = image.width / (shown[2] - shown[0]), image.height / (shown[3] - shown[1])
    return (
        (box[0] - shown[0]) * across,
        (box[1] - shown[1]) * down,
        (box[2] - shown[0]) * across,
        (box[3] - shown[1]) * down,
    )


def _whole_lines(image: "Image", box: Box, shown: Box) -> tuple[int, int]:
    """Return the outermost rows without print above and below a box: no line is cut there."""
    import numpy as np  # noqa: PLC0415 - only pictures need it

    _, top, _, bottom = _pixels(box, image, shown)
    blank = np.asarray(image.convert("L")).min(axis=1) >= _PAPER  # (height,)
    last = min(int(bottom) + 8, image.height)
    above = np.flatnonzero(blank[: max(0, int(top) - 8)])
    below = np.flatnonzero(blank[last:])
    return (
        int(above[0]) if len(above) else 0,
        last + int(below[-1]) + 1 if len(below) else image.height,
    )


def _widened(low: float, high: float, *, least: float) -> tuple[float, float]:
    """Give a range at least a length, inside 0 to 1."""
    length = min(max(high - low, least), 1.0)
    low = min(max((low + high - length) / 2, 0.0), 1.0 - length)
    return low, min(low + length, 1.0)


def _hit(hit: Hit) -> str:
    where = _where(hit.document, hit.ref)
    about = [hit.kind, f"score {hit.score:.3f}"]
    about += [f"by {' and '.join(hit.found_by)}"] if hit.found_by else []
    about += ["read by OCR"] if hit.source == "ocr" else []
    about += [hit.section] if hit.section else []
    words = hit.text if len(hit.text) <= _HIT_CHARACTERS else hit.text[:_HIT_CHARACTERS] + " …"
    return _item(where + _soft(" · ".join(about)), words, _image(hit, marked=False))


def _citation(
    citation: Citation, *, number: int = 0, anchor: str = "", with_crop: bool = True
) -> str:
    head = (f"<strong>[{number}]</strong> " if number else "") + _where(
        citation.document, citation.ref
    )
    if not citation.verified:
        head += _soft("not verified: these words were not found on the page")
    if citation.source == "ocr":
        head += _soft("read by OCR: compare letters and digits with the picture")
    crop = _image(citation, marked=True) if with_crop else ""
    return _item(head, citation.quote, crop, anchor=anchor)


def _image(value: Hit | Citation, *, marked: bool) -> str:
    try:
        file = jpeg(value, marked=marked)
    except (PagehopError, OSError, ValueError) as error:
        return _soft(f"no picture: {error}")
    uri = "data:image/jpeg;base64," + base64.b64encode(file).decode("ascii")
    return f'<img alt="{_text(str(value.ref))}" src="{uri}">'


def _item(head: str, words: str, image: str, *, anchor: str = "") -> str:
    name = f' id="{anchor}"' if anchor else ""
    return f'<div class="ph-item"{name}>{head}<blockquote>{_text(words)}</blockquote>{image}</div>'


def _linked(text: str, citations: int, key: str) -> str:
    def link(match: re.Match[str]) -> str:
        number = int(match[1])
        if not 1 <= number <= citations:
            return match[0]
        return f'<a href="#ph-{key}-{number}">{match[0]}</a>'

    return re.sub(r"\[(\d{1,3})\]", link, _text(text))


def _where(document: str, ref: PageRef) -> str:
    return f"<strong>{_text(document)}</strong>, page {ref.page} <code>{_text(str(ref))}</code> "


def _badge(status: Status) -> str:
    return f'<span class="ph-badge" style="background:{STATUS_COLOURS[status]}">{status}</span>'


def _warnings(warnings: Sequence[str]) -> str:
    return "".join(
        f'<div class="ph-item ph-warning ph-soft">Warning: {_text(w)}</div>' for w in warnings
    )


def _soft(words: str) -> str:
    return f'<span class="ph-soft">{_text(words)}</span>'


def _frame(*parts: str) -> str:
    return f'{_STYLE}<div class="pagehop">{"".join(parts)}</div>'


def _text(words: str) -> str:
    """Escape, and drop control characters that a browser would not show."""
    return escape("".join(c for c in words if c.isprintable() or c in _KEPT), quote=True)
