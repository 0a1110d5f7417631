"""What the tools found and what to ask next: pages, reading order, follow-up queries, references.

Follow-up queries are built from what was read: the words that no sentence covers yet, and the rare
names that the best sentences brought.
Source: GoldEn Retriever (Qi et al. 2019) and Baleen (Khattab et al. 2021); differs:
spans are chosen by rarity and by what is still uncovered, not by a trained reader.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from pagehop.agents.moves import Context, Observation, SubQuestion
from pagehop.finding.periods import MONTHS
from pagehop.rules.extract import Scored
from pagehop.rules.question import Question
from pagehop.rules.vocabulary import FUNCTION_WORDS
from pagehop.rules.words import tokens
from pagehop.types import PageRef

SEARCH_TOOLS = frozenset({"semantic_search", "keyword_search"})
_REFERENCE = re.compile(
    r"\b(?:see|refer to|refers to|described in|set out in|shown in|given in|detailed in|in|per|"
    r"listed in|according to)\s+(?:also\s+)?(?:the\s+)?\(?"
    r"((?:note|table|figure|section|appendix|annex|exhibit|schedule|page|part|item|chapter)s?\s+"
    r"(?:\d+(?:\.\d+)*[a-z]?|[A-Z]\b|[ivx]+\b))",
    re.IGNORECASE,
)


def of_sub(context: Context, sub: SubQuestion) -> list[Observation]:
    """Observations of the current round that belong to a sub-question."""
    return [o for o in context.observations if o.call.sub_question == sub.id]


def found_pages(context: Context, sub: SubQuestion) -> list[PageRef]:
    """Pages that searches, walks and earlier evidence named for a sub-question, best first.

    Lists of several calls are merged by rank, so that each call's first page comes early.
    """
    lists: list[list[PageRef]] = []
    for observation in of_sub(context, sub):
        if not observation.ok:
            continue
        refs = _refs(observation)
        if refs:
            lists.append(refs)
    merged: dict[PageRef, None] = {
        item.ref: None for item in context.evidence if item.sub_question == sub.id
    }
    for rank in range(max(map(len, lists), default=0)):
        for refs in lists:
            if rank < len(refs):
                merged.setdefault(refs[rank])
    return list(merged)


def _refs(observation: Observation) -> list[PageRef]:
    artifact = observation.artifact
    if observation.call.tool in SEARCH_TOOLS:
        return [_parse(hit["ref"]) for hit in artifact.get("hits", ())]
    if observation.call.tool == "walk":
        return [_parse(ref) for path in artifact.get("paths", ()) for ref in path["refs"][1:]]
    if observation.call.tool == "read_page" and "ref" in artifact:
        return [_parse(artifact["ref"])]
    return []


def _parse(ref: object) -> PageRef:
    return PageRef.parse(str(ref))


def call_for(context: Context, sub: SubQuestion, ref: PageRef) -> str:
    """Id of the call that showed a page: the one that read it, else one that found it."""
    ids = [o.call.id for o in context.observations if o.ok and ref in _refs(o)]
    reads = [
        o.call.id
        for o in context.observations
        if o.ok and o.call.tool == "read_page" and ref in _refs(o)
    ]
    known = [item.call for item in context.evidence if item.ref == ref]
    return (reads or ids or known or [""])[0]


def new_names(
    texts: Iterable[str], question: Question, weight: Callable[[str], float], limit: int = 2
) -> list[str]:
    """Names that the texts bring and the question has not, rarest first."""
    asked = {term.stem for term in question.terms}
    found: dict[str, float] = {}
    for text in texts:
        for name, stems in capitalised(text):
            fresh = [s for s in stems if s not in asked]
            if fresh and len(name) > 2:
                found[name] = max(found.get(name, 0.0), min(weight(s) for s in fresh) + len(fresh))
    return sorted(found, key=lambda name: -found[name])[:limit]


def capitalised(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Runs of capitalised words of a text, without a lone word at a sentence's start."""
    groups: list[list[tuple[str, str, int, int]]] = []
    for token in tokens(text):
        lowered = token.text.lower()
        if not token.text[0].isupper() or lowered in MONTHS or lowered in FUNCTION_WORDS:
            continue
        item = (token.text, token.stem, token.start, token.end)
        if groups and text[groups[-1][-1][3] : token.start] in (" ", " & ", ". ", "-"):
            groups[-1].append(item)
        else:
            groups.append([item])
    return [
        (text[g[0][2] : g[-1][3]], tuple(item[1] for item in g))
        for g in groups
        if len(g) > 1 or not _starts_sentence(text, g[0][2])
    ]


def _starts_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip()
    return not before or before[-1] in ".!?:"


def uncovered(question: Question, ranked: Sequence[Scored], limit: int = 3) -> list[str]:
    """Topic words of the question that none of the best units holds."""
    held = {s for scored in ranked[:limit] for s in scored.unit.stems | scored.unit.around_stems}
    return [term.text for term in question.content if term.stem not in held]


def references(scored: Sequence[Scored], limit: int = 3) -> list[tuple[PageRef, str]]:
    """References such as `see Note 8` in the best units, with the page they stand on."""
    found: dict[tuple[PageRef, str], None] = {}
    for item in scored[:limit]:
        for match in _REFERENCE.finditer(f"{item.unit.text} {item.unit.around}"):
            found[(item.unit.ref, " ".join(match[1].split()))] = None
    return list(found)
