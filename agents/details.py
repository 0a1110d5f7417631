"""Details that a question needs and the documents about the right things do not give.

Each is judged over the documents in scope and the pages found; a question of several parts is not
judged, since a part's documents need not hold what another part asks.

1. The thing asked for (`what dividend did A pay`, `how many patents`, `the limit for benzene`,
   `what dose of iron is`) stands on no page of the documents, not misspelt, and no line found is
   near it in meaning. A thing that something is asked of is missing, too, where the pages with it
   are others than those found, and not about the rest of the question.
2. The year asked for is none of the documents' own. Those that reports tell of as a matter of
   course are missing when no page found names them; another year is, when no line or table about
   what is asked names it. Where documents are of no year, one is missing when the best row stands
   in columns of others.
3. A numbered thing (`scope 3`): the pages speak of others of its kind, but not of this number.

Not covered: a detail whose words all stand in the documents, but not together.
"""

import re
from collections.abc import Collection, Sequence

from pagehop.agents.desk import Desk
from pagehop.finding.periods import MONTHS, RANGE, find_years
from pagehop.rules.extract import Scored, coverage, is_entry
from pagehop.rules.figures import names_column
from pagehop.rules.presence import is_misspelt
from pagehop.rules.question import Question, Term
from pagehop.rules.vocabulary import DOCUMENT_WORDS, FUNCTION_WORDS, MEASURES
from pagehop.rules.words import stem, stems
from pagehop.types import PageRef

LEAST_NEARNESS = 0.3
"""A line at this cosine to a word speaks of it in other words."""
TOGETHER = 0.5
"""Share of what else is asked that makes a page with the thing be about it."""
ABOUT = 0.3
"""Share of what else is asked that makes a line be about it."""
COMPARED = 2
"""Years before its own that a report shows beside it."""
FORESEEN = 5
"""Years after its own for which a report says what is expected or due."""
_FUTURE = re.compile(
    r"\b(?:expect\w*|will|plan(?:s|ned)?|forecast\w*|due|project(?:ed|ion)s?|budget\w*|targets?|"
    r"outlook|guidance|estimated)\b",
    re.IGNORECASE,
)
_MEASURES = frozenset(stems(" ".join(MEASURES)))
_LINES = 10
_BEST = 3
"""Lines whose documents may hold a thing on a page that is only a picture."""
_LOOKED_AT = 20
_SHORTEST = 4
_BE = r"(?:is|are|was|were|do|does|did|has|have|had|can|will)"
_ASKED = re.compile(
    rf"\bhow many (?P<counted>\w+)\b|^(?:what|which) (?P<asked>\w+) {_BE}\b", re.IGNORECASE
)
_OBJECT = re.compile(
    rf"\b(?:for|of|on|about) (?P<noun>[a-z]+)\s*\??$|"
    rf"^(?:what|which|how much) (?:\w+ )?\w+ of (?P<kind>[a-z]+) {_BE}\b",
    re.IGNORECASE,
)
_MEASURE = re.compile(
    rf"^what {_BE} the (?:\w+ ){{0,2}}?(?P<what>[a-z]+) (?P<measure>[a-z]+) (?:of|for|in) ",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"\s+(?:in|for|during|at|by) (?:the )?(?:fiscal )?(?:year )?(?:19|20)\d\d\s*\??$"
)
_NUMBERED = re.compile(
    r"\b(?P<word>[A-Za-z][A-Za-z.]{3,})(?: of| =)? (?P<number>\d{1,3})\b(?!\s*%|[.,]\d)"
)
_QUANTITY = re.compile(
    r"^(?:how (?:much|many|large|high|big)|what (?:is|was|were|are))\b", re.IGNORECASE
)
"""Asked of a year; an event of the year may be told in any words."""
_EVENT_KINDS = frozenset({"person", "place"})
_YEAR_KINDS = frozenset({"number", "text", "list"})


def missing_detail(desk: Desk, question: Question, units: Sequence[Scored]) -> str:
    """Say what the documents do not give; empty when nothing is known to be missing.

    Args:
        desk: Where pages are read.
        question: A question of one part.
        units: Best lines found.
    """
    if not units:
        return ""
    if question.kind in _EVENT_KINDS and not _tells_year(desk, question, units):
        return f"The documents searched give nothing on this for {question.years[0]}."
    if question.kind not in _YEAR_KINDS:
        return ""
    word = _missing_thing(desk, question, units)
    if word:
        return f"The documents searched say nothing of {word}."
    year = _missing_year(desk, question, units)
    if year:
        return f"The documents searched give nothing on this for {year}."
    thing = _missing_number(desk, question, units)
    return f"The documents searched say nothing of {thing}." if thing else ""


def _tells_year(desk: Desk, question: Question, units: Sequence[Scored]) -> bool:
    """Whether a page found names a year in which somebody did what is asked, or none is asked."""
    names = desk.scope.documents or tuple({item.unit.ref.name for item in units})
    own = {year for name in names for year in _own_years(desk, name)}
    pages = dict.fromkeys(item.unit.ref for item in units)
    return all(
        year in own or any(_names(desk, ref, year) for ref in pages) for year in question.years
    )


def _missing_thing(desk: Desk, question: Question, units: Sequence[Scored]) -> str:
    asked, thing = _ASKED.search(question.text), _OBJECT.search(_WHEN.sub("", question.text))
    term = _term(question, asked["counted"] or asked["asked"]) if asked else None
    documents = desk.scope.documents
    if term is None or not _is_absent(desk, term, documents, units):
        term, documents = _object(question, thing) if thing else _quality(question), ()
        if term is None or not _is_apart(desk, question, term, units):
            return ""
    read = documents or tuple({item.unit.ref.name for item in units[:_BEST]})
    # What is asked may stand on a page that is only a picture.
    if any(desk.has_scan(name) for name in read):
        return ""
    measure = _MEASURE.search(question.text)
    whole = measure is not None and measure["what"] == term.text
    return f"{term.text} {measure['measure']}" if measure and whole else term.text


def _term(question: Question, word: str) -> Term | None:
    """A word of the question that names a thing: no name, no word of asking or arithmetic."""
    known = (t for t in question.terms if t.text == word and t.weight >= 1)
    term = next(known, None)
    if term is None or term.stem in question.name_stems or term.stem in _MEASURES:
        return None
    return term if term.text.isalpha() and len(term.text) >= _SHORTEST else None


def _object(question: Question, thing: re.Match[str]) -> Term | None:
    return _term(question, thing["noun"] or thing["kind"])


def _quality(question: Question) -> Term | None:
    """Of a measure named with two words (`the heart rate of`), the one that says what of."""
    named = _MEASURE.search(question.text)
    if named is None or stem(named["measure"]) not in _MEASURES:
        return None
    return _term(question, named["what"])


def _is_apart(desk: Desk, question: Question, term: Term, units: Sequence[Scored]) -> bool:
    """Whether a thing stands nowhere, or only on pages that are not about what is asked of it."""
    if term.stem in desk.view.vocabulary():
        others = {t.stem for t in question.content if t.stem != term.stem and not t.text.isdigit()}
        pages = {hit.ref for hit in desk.view.search(term.text, k=_LOOKED_AT, mode="keyword")}
        if not others or pages & {item.unit.ref for item in units}:
            return False
        if any(len(others & desk.stems(ref)) >= TOGETHER * len(others) for ref in pages):
            return False
        return not _is_near(desk, term, units)
    return _is_absent(desk, term, (), units)


def _is_absent(desk: Desk, term: Term, documents: Collection[str], units: Sequence[Scored]) -> bool:
    vocabulary = desk.view.vocabulary()
    if term.stem not in vocabulary:
        if is_misspelt(term.stem, vocabulary):
            return False
    elif not documents or any(
        term.stem in stems(hit.text)
        for hit in desk.view.search(
            term.text, k=_LOOKED_AT, mode="keyword", documents=list(documents)
        )
    ):
        return False
    return not _is_near(desk, term, units)


def _is_near(desk: Desk, term: Term, units: Sequence[Scored]) -> bool:
    """Whether one of the best lines speaks of a thing in other words, or cuts its name short."""
    encoder = desk.view.encoder
    said = [item.unit for item in units[:_LINES] if not is_entry(item.unit)]
    headings = [column for unit in said if unit.row for column in unit.row.columns]
    if any(names_column(heading, {term.stem}) for heading in headings):
        return True
    if encoder is None or not said:
        return False
    lines = desk.encode([unit.reading for unit in said])
    return float((lines @ encoder.encode_query(term.text)).max()) >= LEAST_NEARNESS


def _missing_year(desk: Desk, question: Question, units: Sequence[Scored]) -> int | None:
    others = [
        (t.stem, t.weight)
        for t in question.content
        if t.stem not in question.name_stems and not t.text.isdigit()
    ]
    if not others or not _QUANTITY.match(question.text):
        return None
    names = desk.scope.documents or tuple(d.name for d in desk.view.documents())
    own = [_own_years(desk, name) for name in names]
    pages = list(dict.fromkeys(item.unit.ref for item in units))
    for year in question.years:
        if not all(own):  # a document that is of no year may speak of any
            missing = _is_beside(desk, units, year, others)
        elif any(year in years for years in own):
            missing = False
        elif any(_is_at_hand(question, max(years), year) for years in own):
            missing = not any(_names(desk, ref, year) for ref in pages)
        else:
            missing = not any(_speaks(desk, ref, year, others) for ref in pages)
        if missing:
            return year
    return None


def _is_at_hand(question: Question, own: int, year: int) -> bool:
    """Whether a report of one year tells of another as a matter of course.

    Of the years before, which it compares with; of those to come, where the question asks what was
    expected; and of the years of a range (`2008-2010`), which tables name by its ends.
    """
    if own - COMPARED <= year < own or _in_range(question, year):
        return True
    return own < year <= own + FORESEEN and _FUTURE.search(question.text) is not None


def _in_range(question: Question, year: int) -> bool:
    return any(int(a) <= year <= int(b) for a, b in RANGE.findall(question.text))


def _is_beside(
    desk: Desk, units: Sequence[Scored], year: int, others: Sequence[tuple[str, float]]
) -> bool:
    """Whether the best line is a row under columns of other years, on a page without this one."""
    best = units[0].unit
    if best.row is None or coverage(others, best, frozenset()) < ABOUT:
        return False
    columns = {y for column in best.row.columns for y in find_years(column)}
    return bool(columns) and not _names(desk, best.ref, year)


def _names(desk: Desk, ref: PageRef, year: int) -> bool:
    """Whether a page names a year: in full, in short (`FY18`, `2017/18`) or within a range."""
    text = desk.page(ref).text
    short = rf"(?:FY\s?|[/'\u2019-]){year % 100:02d}\b"
    return year in find_years(text) or bool(re.search(short, text))


def _own_years(desk: Desk, name: str) -> list[int]:
    document = desk.view.document(name)
    return find_years(re.sub(r"[_\W]+", " ", f"{document.source} {document.title}"))


def _speaks(desk: Desk, ref: PageRef, year: int, others: Sequence[tuple[str, float]]) -> bool:
    """Whether a line of a page is about what is asked, and the year is its own or its table's."""
    read = desk.read(ref)
    if str(year) not in read.stems and not _names(desk, ref, year):
        return False
    said = sum(s.text.count(str(year)) for s in read.sentences)
    elsewhere = desk.page(ref).text.count(str(year)) > said
    for unit in read.units:
        if coverage(others, unit, frozenset()) < ABOUT:
            continue
        if year in find_years(f"{unit.text} {unit.around}"):
            return True
        dated = unit.row is not None and any(map(find_years, unit.row.columns))
        if unit.row is not None and elsewhere and not dated:
            return True  # its heading was not read, and may hold the year
    return False


def _missing_number(desk: Desk, question: Question, units: Sequence[Scored]) -> str:
    text = " ".join(desk.page(ref).text for ref in dict.fromkeys(u.unit.ref for u in units))
    for match in _NUMBERED.finditer(question.text):
        word = match["word"].lower()
        if word in FUNCTION_WORDS or word in MONTHS or word in DOCUMENT_WORDS:
            continue
        kind = rf"\b{re.escape(word)}s?\s+(?:(?:of|=)\s+)?"
        listed = rf"{kind}(?:\d+,?\s+(?:and\s+|or\s+|to\s+)?)*{match['number']}\b"
        if re.search(rf"{kind}\d", text, re.IGNORECASE) and not re.search(
            listed, text, re.IGNORECASE
        ):
            return match[0]
    return ""
