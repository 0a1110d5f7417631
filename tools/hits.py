"""How search results read: each page with its best passage, and references for the record."""

from collections.abc import Mapping

from pagehop.finding.sections import is_label
from pagehop.library.view import View
from pagehop.tools.arguments import snippet
from pagehop.tools.passage_text import head_above, unit_line, window
from pagehop.tools.tool import Result
from pagehop.types import Hit, Hits, Page, Region

FIRST, LONG, SHORT = 3, 800, 360
"""Hits shown at length, and the characters of these and of the others."""


def show_hits(view: View, query: str, hits: Hits, nothing: str) -> Result:
    """Return search results as text for a model.

    Args:
        view: Where the pages are.
        query: What was searched for.
        hits: Best first.
        nothing: What to do next when there are none.
    """
    regions = view.snapshot.regions_by_id([hit.region for hit in hits if hit.region])
    lines = [_shown(view, query, i, hit, regions) for i, hit in enumerate(hits, 1)] or [nothing]
    if hits.note:
        lines.append(f"({hits.note})")
    return Result("\n".join(lines), {"hits": [_reference(hit) for hit in hits], "note": hits.note})


def _shown(view: View, query: str, number: int, hit: Hit, regions: Mapping[str, Region]) -> str:
    page = view.page(hit.ref)
    innermost = hit.section.rpartition(" > ")[2]
    section = f" | {snippet(innermost, 70)}" if is_label(innermost) else ""
    matches = int(hit.scores.get("matches", 0))
    why = f" | {matches} matches" if matches > 1 else ""
    why += " | read by OCR" if hit.source == "ocr" else ""
    why += " | found by its picture" if "visual" in hit.found_by else ""
    why += f" | names {hit.why}" if hit.why else ""
    lines = [f"{number}. [{hit.ref}]{printed(page)} {hit.kind}{section}{why}"]
    most = LONG if number <= FIRST else SHORT
    rows = hit.kind in ("table", "list")
    body = window(hit.text, query, most, rows=rows)
    if hit.kind == "table":
        region = regions.get(hit.region)
        head = _head(hit, region) or (head_above(view, hit.ref, region) if region else "")
        if head and head.removesuffix(" ...") not in " ".join(body.split()):
            lines.append(f"head: {head}")
        lines.append(unit_line(view, page, f"{head}\n{body}"))
    lines += body.split("\n")
    if hit.kind == "figure":
        box = ", ".join(f"{side:.2g}" for side in hit.box)
        lines.append(f"(drawn; look({hit.ref}, {box}) shows it)")
    if hit.kind == "page" and "visual" in hit.found_by:
        lines.append(f"(look({hit.ref}, 0, 0, 1, 1) shows the page)")
    return "\n   ".join(filter(None, lines))


def printed(page: Page) -> str:
    """Return the number printed on a page where it is not the one of its reference."""
    return f" (printed {page.label})" if page.label not in ("", str(page.ref.page)) else ""


def _head(hit: Hit, region: Region | None) -> str:
    """Return the head of the table that a passage continues, as the index has it before it."""
    if region is None or not region.search_text.endswith(region.text):
        return ""
    before = region.search_text.removesuffix(region.text).strip("\n").split("\n")
    return snippet(" ".join(before[2 if hit.section else 1 :]), 160)


def _reference(hit: Hit) -> dict[str, object]:
    return {
        "ref": str(hit.ref),
        "box": [round(value, 5) for value in hit.box],
        "region": hit.region,
        "kind": hit.kind,
        "score": round(hit.score, 6),
        "found_by": list(hit.found_by),
        "ranks": dict(hit.ranks),
        "source": hit.source,
        **({"why": hit.why} if hit.why else {}),
    }
