"""Which documents a question is about: named or implied, judged by the documents themselves.

1. A document's profile is what it says of itself: file name, title, metadata (its own names), and
   the words of its first page. So `Apple` leads to `2022 Q3 AAPL.pdf`, whose title page says it.
2. A name of the question is covered by the documents whose own names or first page hold it;
   names that few documents share weigh more. The documents with the most weight are the scope.
3. A quarter or year narrows the scope when file names or titles tell documents apart by it.
4. A name that no profile holds is looked up in the text; the answer must then stand next to it.
5. A document that is called by its file name (`in 1801.05147.pdf`) is meant, beside those of names
   that are other documents' own.

Nothing here lists companies, tickers or kinds of documents.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pagehop.finding.periods import Period, find_periods
from pagehop.library.view import View
from pagehop.rules.presence import MANY_PAGES, find_presence, has_initials, is_everywhere, topical
from pagehop.rules.question import Name, Question
from pagehop.rules.vocabulary import DOCUMENT_WORDS, FUNCTION_WORDS
from pagehop.rules.words import stems
from pagehop.types import Document, PageRef

MAX_PROFILES = 300
"""Documents whose first page is read to scope a question; in larger views a search picks them."""
_FIRST_PAGE_WORDS = 450
_CODE_DIGITS = 9
"""As in `1801.05147`; a date has eight."""
_LOOKED_AT = 4
"""Documents of a name in which it is counted, page by page."""
_TITLE = re.compile(
    rf"\b(?:(?:[A-Z]\w+ ){{0,2}}(?:{'|'.join(w.capitalize() for w in sorted(DOCUMENT_WORDS))})"
    r" (?:of |for )?(?:15|16|17|18|19|20)\d\d)\b"
)
_PARTY = re.compile(
    r"^(?:which|what) (?:other )?(?:\w+ )?(?:competitors?|rivals?|compan(?:y|ies)|firms?|"
    r"suppliers?|customers?|organi[sz]ations?) "
    r"(?!is\b|are\b|was\b|were\b|has\b|have\b|had\b)\w+ (?!or\b)",
    re.IGNORECASE,
)
"""Asks which party did something to what is named."""
_LATEST = re.compile(
    r"\b(latest|most recent|newest|last)\b[^.?]{0,30}\b(report|filing|10-|document|quarter)"
)


@dataclass(frozen=True)
class Profile:
    """What a document says of itself."""

    name: str
    own: frozenset[str]
    """Stems of file name, title and metadata."""
    first_page: frozenset[str]
    periods: tuple[Period, ...]
    """Periods in file name, title and metadata."""


@dataclass(frozen=True)
class Scope:
    """The documents to search and what is known about the question's names."""

    documents: tuple[str, ...] = ()
    """Names of documents, in the view's order; empty means all."""
    by_name: Mapping[str, tuple[str, ...]] | None = None
    """For each name of the question, the documents it leads to."""
    absent: tuple[str, ...] = ()
    """Names that stand nowhere in the visible documents."""
    mentioned: tuple[str, ...] = ()
    """Names that stand in the text but name no document: the evidence must hold them."""
    own: frozenset[str] = frozenset()
    """Names that are in a document's own name or on most of its pages."""
    narrowed: bool = False
    """A period picked among the documents of a name."""
    called: frozenset[str] = frozenset()
    """Stems of the file names that the question calls documents by."""

    def leads(self, name: str) -> tuple[str, ...]:
        """Documents a name leads to."""
        return (self.by_name or {}).get(name, ())

    def settled(self, question: Question) -> frozenset[str]:
        """Stems of a question's names that are a document's own, and so on most of its pages."""
        own = frozenset(s for n in question.names if n.text in self.own for s in n.stems)
        return own | self.called


def read_profiles(view: View, question: Question) -> list[Profile]:
    """Read the profiles of the documents that may matter."""
    documents = list(view.documents())
    if len(documents) > MAX_PROFILES:
        wanted = {hit.name for hit in view.search(question.query, k=50, mode="keyword")}
        own = question.name_stems
        documents = [d for d in documents if d.name in wanted or own & _own_stems(d)]
    return [_profile(view, document) for document in documents]


def read_scope(view: View, question: Question, profiles: Sequence[Profile]) -> Scope:
    """Decide which documents a question is about."""
    if not profiles:
        return Scope()
    weights = _rarity(profiles)
    by_name: dict[str, tuple[str, ...]] = {}
    absent: list[str] = []
    mentioned: list[str] = []
    for name in question.names:
        found = _covering(name, profiles, weights)
        if not _names_any(name, profiles, found):
            presence = find_presence(view, name)
            if presence.common and not found:
                continue
            found = _as_often(found, presence.pages) if found else topical(view, presence)
            if not found and presence.pages:
                mentioned.append(name.text)
            elif not found and not has_initials(view, name):
                absent.append(name.text)
        if found:
            by_name[name.text] = found
    own = frozenset(
        name.text
        for name in question.names
        if name.text in by_name and _is_own(view, name, by_name[name.text], profiles)
    )
    titled = _titled(question, profiles)
    picked = _pick(by_name, len(profiles))
    picked = tuple(d for d in titled if not picked or d in picked) or titled or picked
    if _PARTY.search(question.text) and not any(n.possessive for n in question.names):
        documents = titled  # another party is asked for: its own documents may tell of it
    else:
        documents = picked or _by_own_words(question, profiles, weights)
    called = _called(question.text, profiles)
    if called:
        others = [
            d for name in own for d in by_name[name] if called.keys().isdisjoint(by_name[name])
        ]
        documents = tuple(dict.fromkeys([*called, *others]))
        words = frozenset(stems(" ".join(called.values())))
        return Scope(documents, by_name, tuple(absent), tuple(mentioned), own, called=words)
    narrowed = _narrow(question, documents or tuple(p.name for p in profiles), profiles)
    return Scope(
        narrowed or documents, by_name, tuple(absent), tuple(mentioned), own, bool(narrowed)
    )


def _called(text: str, profiles: Sequence[Profile]) -> dict[str, str]:
    """Documents called by file name, with the words that do: with its extension, or a code."""
    found = {}
    lowered = text.lower()
    for profile in profiles:
        if profile.name.lower() not in lowered:
            continue
        name = re.escape(profile.name)
        match = re.search(rf"(?<![\w.-]){name}(?P<ending>\.[a-z]{{2,4}})?(?![\w-])", text, re.I)
        if match and (match["ending"] or _is_code(profile.name)):
            found[profile.name] = match[0]
    return found


def _is_code(name: str) -> bool:
    """Whether a file name is digits alone, too many for a number or a date of the question."""
    digits = sum(map(str.isdigit, name))
    return digits >= _CODE_DIGITS and not any(map(str.isalpha, name))


def _profile(view: View, document: Document) -> Profile:
    words: list[str] = []
    if document.pages:
        page = view.page(PageRef(document.name, 1))
        words = page.text.split()[:_FIRST_PAGE_WORDS]
    names = f"{_spaced(document.source)} {document.title}"
    extra = " ".join(str(value) for value in document.metadata.values())
    return Profile(
        document.name,
        _own_stems(document),
        frozenset(stems(" ".join(words))),
        tuple(find_periods(f"{names} {extra}")),
    )


def _own_stems(document: Document) -> frozenset[str]:
    extra = " ".join(str(value) for value in document.metadata.values())
    return frozenset(stems(f"{_spaced(document.source)} {document.title} {extra}"))


def _spaced(path: str) -> str:
    """A path as words: `lifeway-foods-inc_2019.pdf` is four of them."""
    return re.sub(r"[_\W]+", " ", re.sub(r"\.\w{1,5}$", "", path))


def _rarity(profiles: Sequence[Profile]) -> dict[str, float]:
    counts: dict[str, int] = {}
    for profile in profiles:
        for s in profile.own | profile.first_page:
            counts[s] = counts.get(s, 0) + 1
    n = len(profiles)
    return {s: math.log(1 + n / c) for s, c in counts.items()}


def _covering(
    name: Name, profiles: Sequence[Profile], weights: Mapping[str, float]
) -> tuple[str, ...]:
    """Documents whose profile holds a name; own names count over first pages."""
    wanted = [s for s in name.stems if s not in _GENERIC] or list(name.stems)
    total = sum(weights.get(s, 5.0) for s in wanted)
    shares = {}
    for profile in profiles:
        own = sum(weights.get(s, 5.0) for s in wanted if s in profile.own)
        first = sum(weights.get(s, 5.0) for s in wanted if s in profile.first_page | profile.own)
        shares[profile.name] = max(own * 1.2, first) / total
    best = max(shares.values())
    if best < 0.6:
        return ()
    return tuple(name for name, share in shares.items() if share >= 0.6 and share >= best - 0.25)


def _names_any(name: Name, profiles: Sequence[Profile], found: Sequence[str]) -> bool:
    """Whether a name is in the own name of one of the documents it leads to."""
    return any(p.name in found and p.own.issuperset(name.stems) for p in profiles)


def _is_own(view: View, name: Name, found: Sequence[str], profiles: Sequence[Profile]) -> bool:
    # A word on every page of a letter is not yet the subject of the reports that hold it too.
    return _names_any(name, profiles, found) or is_everywhere(view, name, found[:_LOOKED_AT])


def _as_often(found: Sequence[str], counts: Mapping[str, int]) -> tuple[str, ...]:
    """Add documents that hold a name on as many pages as those whose first page holds it.

    Without them a short letter that mentions a name shuts out the report that is about it.
    """
    # A document of its own name may lie beyond the pages looked at: it holds the name often.
    least = min((counts[document] for document in found if document in counts), default=MANY_PAGES)
    return tuple(dict.fromkeys([*found, *(d for d, count in counts.items() if count >= least)]))


_GENERIC = frozenset(stems(" ".join(DOCUMENT_WORDS | FUNCTION_WORDS)))


def _pick(by_name: Mapping[str, tuple[str, ...]], n: int) -> tuple[str, ...]:
    """Names that lead to the same documents intersect, names of different ones add up."""
    telling = [found for found in by_name.values() if len(found) < n]
    picked: list[str] = []
    for found in telling:
        common = [d for d in picked if d in found]
        if common:
            picked = common
        else:
            picked += [d for d in found if d not in picked]
    return tuple(picked)


def _titled(question: Question, profiles: Sequence[Profile]) -> tuple[str, ...]:
    """Documents that a question calls by kind and year: `of the Annual Report 2023`."""
    for match in _TITLE.finditer(question.text):
        words = set(stems(match[0]))
        found = tuple(p.name for p in profiles if words <= p.own)
        if found and len(found) < len(profiles):
            return found
    return ()


def _by_own_words(
    question: Question, profiles: Sequence[Profile], weights: Mapping[str, float]
) -> tuple[str, ...]:
    """For questions without capitals: documents most of whose own name stands in the question."""
    if len(profiles) < 2:
        return ()
    asked = {t.stem for t in question.terms}
    shares = {}
    for profile in profiles:
        own = {s for s in profile.own if s.isalpha() and len(s) > 2 and s not in _GENERIC}
        total = sum(weights.get(s, 1.0) for s in own)
        if own and total:
            shares[profile.name] = sum(weights.get(s, 1.0) for s in own & asked) / total
    best = max(shares.values(), default=0.0)
    if best < 0.5:
        return ()
    return tuple(name for name, share in shares.items() if share >= best - 0.1)


def _narrow(
    question: Question, documents: Sequence[str], profiles: Sequence[Profile]
) -> tuple[str, ...]:
    """Keep the documents whose own names hold the quarter or year that is asked for."""
    among = [p for p in profiles if p.name in documents and p.periods]
    if len(among) < 2:
        return ()
    if _LATEST.search(question.text.lower()) and not question.years:
        newest = max(_order(p) for p in among)
        return tuple(p.name for p in among if _order(p) == newest)
    asked = [p for p in question.periods if p.year is not None or p.quarter is not None]
    if not asked:
        return ()
    exact = [p.name for p in among if any(_says(p, period) for period in asked)]
    if len(exact) == len(documents):
        return ()
    quarters = any(period.quarter for period in asked)
    named = bool(re.search(r"\b(10-?[kq]|report|filing|document|annual)\b", question.text.lower()))
    return tuple(exact) if exact and (quarters or named) else ()


def _says(profile: Profile, asked: Period) -> bool:
    return any(
        (asked.year is None or asked.year == own.year)
        and (asked.quarter is None or asked.quarter == own.quarter)
        for own in profile.periods
    )


def _order(profile: Profile) -> tuple[int, int, int]:
    return max((p.year or 0, p.quarter or 0, p.month or 0) for p in profile.periods)
