"""How search results read: one line a page with its snippet, and references for the record."""

from pagehop.tools.arguments import snippet
from pagehop.tools.tool import Result
from pagehop.types import Hit, Hits


def show_hits(hits: Hits, nothing: str) -> Result:
    """Return search results as text for a model.

    Args:
        hits: Best first.
        nothing: What to do next when there are none.
    """
    lines = [_line(i, hit) for i, hit in enumerate(hits, 1)] or [nothing]
    if hits.note:
        lines.append(f"({hits.note})")
    return Result("\n".join(lines), {"hits": [_reference(hit) for hit in hits], "note": hits.note})


def _line(number: int, hit: Hit) -> str:
    section = f" | {snippet(hit.section.rpartition(' > ')[2], 70)}" if hit.section else ""
    matches = int(hit.scores.get("matches", 0))
    why = "+".join(hit.found_by) + (f" {hit.score:.3f}" if hit.score else "")
    why += f", {matches} matches" if matches > 1 else ""
    why += ", read by OCR" if hit.source == "ocr" else ""
    head = f"{number}. [{hit.ref}] {hit.kind}{section} | {why}"
    return f"{head}\n   {snippet(hit.text, 320)}"


def _reference(hit: Hit) -> dict[str, object]:
    return {
        "ref": str(hit.ref),
        "box": [round(value, 5) for value in hit.box],
        "region": hit.region,
        "kind": hit.kind,
        "score": round(hit.score, 6),
        "found_by": list(hit.found_by),
        "source": hit.source,
    }
