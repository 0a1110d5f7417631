"""A follow-up question written so that it stands alone, from the question before it.

Four kinds of follow-ups are understood, by closed classes of words:

1. A part in place of a part: "And in 2022?", "What about Corvane?", "And the year before?" is the
   question before with another period or name. Names give way to names after the same preposition,
   else the first one.
2. Another topic of the same: "And the dividend?" keeps name and period.
3. A pronoun for what the question before was about: "What did it spend on research?"
4. "then", "that year" for its period.

All others stand alone, or cannot be mended by rules, and are returned as they are.
"""

import re
from dataclasses import dataclass

from pagehop.rules.question import Name, Question, read_question

_OPENING = re.compile(
    r"^\s*(?:(?:and|or|but|so|also)\b[\s,]*)?(?:(?:what|how)\s+about\b|and\b|or\b)[\s,]*",
    re.IGNORECASE,
)
"""How a follow-up opens that only names another part."""
_JOINING = re.compile(r"^\s*(?:and|or|but|so|also)\b[\s,]*", re.IGNORECASE)
_OWNER = re.compile(r"\b(?:its|their|his|her)\b(?=\s+\w)", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:it|they|them|he|she|him)\b", re.IGNORECASE)
_THEN = re.compile(
    r"\b(?:(?:in|for|during|of)\s+)?(?:(?:that|the\s+same)\s+(?:year|quarter|month|time|period))\b|\bthen\b",
    re.IGNORECASE,
)
_SHIFTED = re.compile(
    r"\b(?:in\s+)?(?:the\s+)?(?:(?P<back>(?:previous|prior|preceding|last)\s+year|year\s+(?:before|earlier))"
    r"|(?:next|following)\s+year|year\s+(?:after|later))\b",
    re.IGNORECASE,
)
"""A year told from the one of the question before."""
_EDGE = re.compile(
    r"\b(?:(?:at|by|before|after)\s+)?the\s+(?:end|start|beginning|middle|close|turn)\s+of\b",
    re.IGNORECASE,
)
"""Says where in a period, not which."""
_FITTING = re.compile(r"(?:at|in|of|for|by|from|to|with|on|between|since|until)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;]|\b(?:and|or|but|that|which|who|when|if|because)\b\s", re.IGNORECASE)
"""Where another clause may begin, behind the first word."""
_PREPOSITION = re.compile(
    r"\b(at|in|of|for|by|from|to|with|on|about|between)\s+(?:the\s+)?$", re.IGNORECASE
)
_TOPICLESS = 0.35
"""Weight of words of asking and of arithmetic."""
_MOST_TOPIC = 6
"""Words of a thing that is named and not asked about."""
_ASKING = frozenset(
    """who whom whose what which when where why how is are was were be been do does did has have had
    can could may might must shall should will would it they he she them him its their his
    her""".split()
)
_WHAT_WAS_SAID = frozenset({"it", "that", "this", "they"})


def stand_alone(question: str, before: str) -> str:
    """Return a follow-up as a question of its own; itself when it is one.

    Args:
        question: What is asked now.
        before: The question before it, which stands alone.
    """
    asked, known = " ".join(question.split()), read_question(before)
    part = _OPENING.sub("", asked)
    if known.years:
        part = _SHIFTED.sub(lambda shift: _other_year(shift, known.years[0]), part)
    if _only_names(part):
        return _exchanged(part, known)
    if _OPENING.match(asked) and _is_topic(part):
        return _about(part, known)
    return _named(asked, known)


def _only_names(part: str) -> bool:
    """Whether a text has no word but those of names, periods and grammar, and asks nothing else.

    "What was it in 2022?" asks nothing of its own either.
    """
    part = _EDGE.sub("", part)
    words = set(part.lower().rstrip("?").split())
    found = read_question(f"about {part}")  # a first word counts as a name only behind another
    names, periods = found.name_stems, found.periods
    covered = {term.stem for period in periods for term in read_question(period.text).terms}
    if words & _ASKING and (names or not words & _WHAT_WAS_SAID):
        return False
    return bool(names or periods) and all(
        t.stem in names | covered for t in found.terms if t.weight > _TOPICLESS
    )


def _other_year(shift: re.Match[str], year: int) -> str:
    return f"in {year - 1 if shift['back'] else year + 1}"


def _is_topic(part: str) -> bool:
    """Whether a text names a thing and asks nothing: it has no verb of asking, no name."""
    words = part.lower().rstrip("?").split()
    if len(words) > _MOST_TOPIC or _FITTING.match(part) or set(words) & _ASKING:
        return False
    return not read_question(f"about {part}").names


def _about(part: str, known: Question) -> str:
    """Ask for another thing of the same name and period."""
    topic = part.rstrip("?. ")
    own = read_question(topic)
    name = f" of {known.names[0].text}" if known.names else ""
    when = f" in {known.periods[0].label}" if known.periods and not own.periods else ""
    return f"What about {topic}{name}{when}?"


@dataclass(frozen=True)
class _Place:
    """Where a name stands in a question."""

    start: int
    end: int
    preposition: str
    """The word before it, where that is one; else empty."""


def _exchanged(part: str, known: Question) -> str:
    """Put the periods and names of a part in the place of those of the question before."""
    own = read_question(f"about {part}")
    text = known.text
    for name in own.names:
        place = _place_for(name, own, text)
        text = f"{text[: place.start]}{name.text}{text[place.end :]}" if place else text
        if place is None:
            text = _appended(text, part)
    if own.periods:
        theirs = read_question(text).periods
        if theirs:
            first, last = theirs[0], theirs[-1]
            new = own.text[own.periods[0].start : own.periods[-1].end]
            if own.periods[0].year is None and first.year is not None:
                new = f"{new} {first.year}"
            text = f"{text[: first.start]}{new}{text[last.end :]}"
        elif not own.names:
            text = _appended(text, f"in {part}" if part[0].isdigit() else part)
    return text


def _place_for(name: Name, own: Question, text: str) -> _Place | None:
    """Return the name of the question before that a name takes the place of."""
    there = read_question(text)
    places = [place for other in there.names if (place := _place(other, text)) is not None]
    mine = _place(name, own.text)
    if mine is not None and mine.preposition not in ("", "about"):
        same = [place for place in places if place.preposition == mine.preposition]
        return same[0] if same else None
    return places[0] if places else None


def _place(name: Name, text: str) -> _Place | None:
    start = text.find(name.text)
    if start < 0:
        return None
    before = _PREPOSITION.search(text[:start])
    return _Place(start, start + len(name.text), before[1].lower() if before else "")


def _named(asked: str, known: Question) -> str:
    """Write what pronouns stand for; the question as it is where nothing is known of that."""
    text = asked
    if known.names and not read_question(asked).names:
        subject = known.names[0].text
        owner = f"{subject}'" if subject.endswith("s") else f"{subject}'s"
        text = _outside(_OWNER, owner, text)
        text = _outside(_PRONOUN, subject, text)
    if known.periods and not read_question(text).periods:
        text = _THEN.sub(f"in {known.periods[0].label}", text, count=1)
    if known.years and not read_question(text).periods:
        text = _SHIFTED.sub(lambda shift: _other_year(shift, known.years[0]), text, count=1)
    return text if text == asked else _capital(_JOINING.sub("", text))


def _outside(pronoun: re.Pattern[str], noun: str, text: str) -> str:
    """Replace the first pronoun unless it may stand for a word of its own question."""
    found = pronoun.search(text)
    if found is None or _CLAUSE.search(_JOINING.sub("", text[: found.start()]), 1):
        return text
    return f"{text[: found.start()]}{noun}{text[found.end() :]}"


def _appended(text: str, part: str) -> str:
    end = text[-1] if text.endswith(("?", ".")) else ""
    return f"{text.rstrip('?. ')} {part.rstrip('?. ')}{end}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
