"""The tool `verify`: does the quote stand there, and does it carry the claim's numbers."""

from difflib import SequenceMatcher

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.finding.quotes import numbers_in
from pagehop.library.view import View
from pagehop.tools.arguments import read_ref, snippet
from pagehop.tools.tool import Arguments, Result, make_tool
from pagehop.types import Located, PageRef

_SEARCHED_PAGES = 8


class VerifyArguments(Arguments):
    """Arguments of `verify`."""

    claim: str = Field(min_length=1, description="the statement that the quote should carry")
    quote: str = Field(min_length=1, description="words of the page, as they stand there")
    ref: str = Field(description="the page the quote is from, name:page")


def verify(view: View) -> BaseTool:
    """Make the tool."""

    def verify(claim: str, quote: str, ref: str) -> Result:
        """Check a quote before you cite it: does it stand on that page, with the claim's numbers?

        Line breaks, spacing and typography do not matter; numbers must match exactly. Returns
        VERIFIED with the box; or NOT FOUND with the page where the quote does stand, or with the
        nearest line of the page to quote instead; or NUMBERS MISSING with the numbers of the
        claim that the quote lacks: quote more of the page, or derive them with calculate. It does
        not judge meaning: read the page for that.
        """
        where = read_ref(view, ref)
        located = view.locate(where, quote)
        if located is None:
            return _not_found(view, where, quote)
        missing = [n for n in dict.fromkeys(numbers_in(claim)) if n not in numbers_in(quote)]
        box = ", ".join(f"{value:.3f}" for value in located.box)
        exactly = "exactly" if located.score == 1 else f"nearly (score {located.score:.2f})"
        text = f"VERIFIED: the quote stands {exactly} on [{where}], box {box}."
        if located.score < 1:
            text += f" The page says: {snippet(located.text, 300)}"
        if located.source == "ocr":
            text += " It was read by OCR: look there if a letter or digit matters."
        if missing:
            text = (
                f"NUMBERS MISSING: the quote stands {exactly} on [{where}], but "
                f"{', '.join(missing)} of the claim is not in it. Quote the words that hold "
                "it too. A number that calculate gave needs no quote of its own: the claim names "
                "the calculation."
            )
        return Result(text, _artifact(where, quote, located, missing))

    return make_tool(verify, VerifyArguments)


def _not_found(view: View, where: PageRef, quote: str) -> Result:
    artifact = _artifact(where, quote, None, [])
    elsewhere = _found_elsewhere(view, where, quote)
    if elsewhere is not None:
        artifact["found_on"] = str(elsewhere)
        text = f"NOT FOUND on [{where}]: the quote stands on [{elsewhere}]. Cite that page."
        return Result(text, artifact)
    nearest = nearest_line(view.page(where).text, quote)
    advice = f" Nearest line there: {nearest}" if nearest else " The page has no such line."
    text = f"NOT FOUND: the quote does not stand on [{where}].{advice}\nQuote the page's own words."
    return Result(text, artifact)


def _found_elsewhere(view: View, where: PageRef, quote: str) -> PageRef | None:
    """Look on the pages around, then on those of the document that a search finds."""
    pages = view.document(where.name).pages
    near = [PageRef(where.name, where.page + step) for step in (1, -1, 2, -2)]
    hits = view.search(quote[:400], k=_SEARCHED_PAGES, mode="keyword", documents=[where.name])
    for ref in dict.fromkeys([*near, *(hit.ref for hit in hits)]):
        if ref != where and 1 <= ref.page <= pages and view.locate(ref, quote) is not None:
            return ref
    return None


def nearest_line(text: str, quote: str) -> str:
    """Return the line of a text that shares most with a quote; empty when none shares a word."""
    wanted = quote.casefold().split()
    best, best_rank = "", (0.0, 0.0)
    for line in text.split("\n"):
        matcher = SequenceMatcher(None, wanted, line.casefold().split(), autojunk=False)
        shared = sum(block.size for block in matcher.get_matching_blocks())
        rank = (shared / max(len(wanted), 1), matcher.ratio())
        if rank > best_rank:
            best, best_rank = line, rank
    return snippet(best, 300)


def _artifact(
    where: PageRef, quote: str, located: Located | None, missing: list[str]
) -> dict[str, object]:
    return {
        "ref": str(where),
        "box": [round(value, 5) for value in located.box] if located else None,
        "verified": located is not None and not missing,
        "found": located is not None,
        "score": located.score if located else 0.0,
        "quote": quote,
        "missing": missing,
    }
