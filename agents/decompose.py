"""Split a question into parts that can be searched one by one.

1. What a comparison has on its two sides (`did A's X exceed the limit in B`) are two parts.
2. Several sentences, or clauses with a question word of their own, are several parts; a part
   without names takes those of the part before.
3. Names that lead to different documents give one part each (`compare A and B`).
4. A question over time about one thing, whose documents are of different periods, gives one part
   for each document.
5. A relative clause is a bridge: `who leads the firm that bought X` asks first which firm bought X.
   The names that the first part's evidence brings fill the gap of the second part; evidence without
   a new name still says where to look: its document, and the names in that document's own title.

Source: question decomposition as in HiRAG and OmAgent; differs: by patterns, one level
and no tree. Bridges: GoldEn Retriever (Qi et al. 2019), whose second query is made of what the
first one found.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from pagehop.agents.comparison import read_comparison, side_texts
from pagehop.agents.leads import new_names
from pagehop.agents.moves import Context, SubQuestion
from pagehop.rules.question import Question, read_question
from pagehop.rules.scope import Scope
from pagehop.rules.task import Task

GAP = "[...]"
"""Stands in a part's text for what another part is to find."""
MAX_PARTS = 6
"""Parts that one question is split into at most."""

_ALSO = re.compile(
    r"(?:\?\s+|;\s+|,?\s+and\s+)(?=(?:(?:within|in|for|after)\s+(?=how\s+many\b))?"
    r"(?:what|who|when|where|which|why|how|did|does|is|are|was|were)\b"
    r"\s+(?!of\b)\w+)",
    re.IGNORECASE,
)
_OVER_TIME = re.compile(
    r"\b(over time|over the (?:\w+ )?(?:periods?|quarters?|years?)|across|period[- ]to[- ]period|"
    r"each (?:quarter|year|period)|quarter[- ]over[- ]quarter|year[- ]over[- ]year|trends?|trended|"
    r"evolv\w+|fluctuat\w+|historical|these (?:quarters|periods|years|reports|filings|10-\w+)|"
    r"(?:several|multiple|reported|reporting|different) (?:quarters|periods|years)|"
    r"quarterly reports|throughout)\b",
    re.IGNORECASE,
)
_ANAPHOR = re.compile(
    r"\b(?:that|this|the same)\s+(?:person|man|woman|author|company|firm|group|team|country|"
    r"organi[sz]ation|city|place|site|product|document|report)\b",
    re.IGNORECASE,
)
"""Words that stand for what the part before them is to find."""
_PAIRS = re.compile(
    r"\b(?:and|or|both|each|than|versus|vs|against|between|with|to|exceed\w*|compar\w+)\b|[,&]",
    re.IGNORECASE,
)
"""Words that set names side by side; `the F1 of A for B` names one thing twice."""
_TOPIC = 0.5
"""Least weight of a word that says what is asked."""
_RELATIVE = re.compile(
    r"\b(?P<main>.+?\b(?:of|by|for|in|on|at|from|to|with|about|after|before|under|against|into|than|"
    r"does|did|is|was|are|were|has|had|\w+ed)\s+)"
    r"(?P<np>(?:the|a|an)\s+(?P<noun>(?:[\w-]+\s+){0,2}?[\w-]+))\s+"
    r"(?P<rel>that|which|who|whom|whose|where)\s+(?!of\b)(?P<clause>(?:(?!,).)+?)(?P<rest>,.*)?$",
    re.IGNORECASE,
)


def decompose(question: Question, scope: Scope) -> tuple[SubQuestion, ...]:
    """Return the parts of a question in the order they are to be answered."""
    texts = _sides(question, scope)
    for part in () if texts else _clauses(question.text):
        texts += _by_documents(part, read_question(part), scope)
    alone = len(texts) == len(_clauses(question.text)) and not _sides(question, scope)
    subs: list[SubQuestion] = []
    for text, documents in texts[:MAX_PARTS]:
        bridge = _bridge(text) if alone and GAP not in text else None
        if GAP in text and subs:
            name = f"Q{len(subs) + 1}"
            subs.append(SubQuestion(name, text, needs=needs(text), after=(subs[-1].id,)))
        elif bridge is not None:
            first = f"Q{len(subs) + 1}"
            subs.append(SubQuestion(first, bridge[0], needs="a name", documents=documents))
            later = f"Q{len(subs) + 1}"
            subs.append(SubQuestion(later, bridge[1], needs=needs(text), after=(first,)))
        else:
            subs.append(
                SubQuestion(f"Q{len(subs) + 1}", text, needs=needs(text), documents=documents)
            )
    return tuple(subs)


def needs(text: str) -> str:
    """Say what would answer a part."""
    question = read_question(text)
    task: Task = question.task
    if task.calculates:
        years = ", ".join(map(str, task.years))
        what = " and ".join(task.operands)
        return f"numbers for a {task.operation.replace('_', ' ')}: {what} {years}".strip()
    return {
        "number": "a number",
        "date": "a date",
        "person": "a person",
        "place": "a place",
        "yes_no": "a statement for or against",
        "reason": "an explanation",
        "list": "a list",
    }.get(question.kind, "a statement")


def _clauses(text: str) -> list[str]:
    """Split at sentence ends and before question words; later parts keep the first one's names."""
    pieces = [p.strip(" ,;") for p in _ALSO.split(text) if p and p.strip(" ,;?")]
    if len(pieces) < 2 or any(len(p.split()) < 3 for p in pieces):
        return [text]
    first = read_question(pieces[0])
    lead = " ".join(dict.fromkeys([n.text for n in first.names] + [p.text for p in first.periods]))
    whole = [pieces[0]]
    for piece in pieces[1:]:
        alone = read_question(piece)
        if _ANAPHOR.search(piece):
            found = _ANAPHOR.sub(lambda match: f"{match[0]} ({GAP})", piece, count=1)
            whole.append(f"{found.rstrip('?')}?")
            continue
        missing = lead if not alone.names else ""
        content = [t for t in alone.terms if t.weight >= 0.5]
        if len(content) < 2 and not alone.names:
            missing = first.query
        elif not any(t.stem not in alone.name_stems and t.text.isalpha() for t in content):
            told = [t.text for t in first.terms if t.stem not in first.name_stems]
            missing = " ".join(t for t in told if t.isalpha())  # `and how many in B?`
        whole.append(f"{piece.rstrip('?')} ({missing})?" if missing else piece)
    return whole


def _sides(question: Question, scope: Scope) -> list[tuple[str, tuple[str, ...]]]:
    """The two things that a question compares, each in the documents of its own names."""
    comparison = read_comparison(question.text)
    if comparison is None or comparison.sides is None:
        return []
    found = []
    for text in side_texts(comparison):
        named = [scope.leads(n.text) for n in question.names if n.text in text]
        documents = tuple(dict.fromkeys(d for led in named for d in _within(led, scope)))
        found.append((text, documents or scope.documents))
    # Two things of one document are found together, and often in one sentence.
    return found if found[0][1] != found[1][1] else []


def _by_documents(text: str, question: Question, scope: Scope) -> list[tuple[str, tuple[str, ...]]]:
    """One part for each document set, where names or time ask for it."""
    named = [(n.text, scope.leads(n.text)) for n in question.names if scope.leads(n.text)]
    sets = {documents for _, documents in named}
    if len(sets) > 1 and not _overlap(sets) and _PAIRS.search(text):
        return [
            (_without(text, [n for n, d in named if d != documents]), _within(documents, scope))
            for documents in dict.fromkeys(d for _, d in named)
        ]
    documents = scope.documents
    if 2 <= len(documents) <= MAX_PARTS and is_over_time(text):
        return [(text, (document,)) for document in documents]
    return [(text, documents)]


def is_over_time(text: str) -> bool:
    """Whether a question asks how something went over several periods."""
    return _OVER_TIME.search(text) is not None


def _overlap(sets: set[tuple[str, ...]]) -> bool:
    ordered = list(sets)
    return any(set(a) & set(b) for i, a in enumerate(ordered) for b in ordered[i + 1 :])


def _within(documents: Sequence[str], scope: Scope) -> tuple[str, ...]:
    """Of a name's documents, those that a period narrowed the scope to."""
    kept = tuple(d for d in documents if d in scope.documents)
    return kept or tuple(documents)


def _without(text: str, names: Sequence[str]) -> str:
    for name in names:
        # The first of a pair (`A or B`) goes with the conjunction, so that none is left over.
        text = re.sub(rf"\b{re.escape(name)}(?:['’]s)?\s+(?:and|or)\s+(?=[A-Z])", "", text)  # noqa: RUF001
        text = re.sub(
            rf"(?:\s*\b(?:and|or|to|with|than|versus|vs\.?|,)\s+)?\b{re.escape(name)}(?:['’]s)?\b",  # noqa: RUF001
            "",
            text,
        )
    return " ".join(text.split())


def _bridge(text: str) -> tuple[str, str] | None:
    """Return the inner question of a relative clause, and the outer one with a gap for its answer.

    None when there is no clause, or it says too little to be searched.
    """
    match = _RELATIVE.search(text.strip().rstrip("?"))
    if match is None:
        return None
    noun, clause = match["noun"], match["clause"].strip()
    if len(read_question(clause).content) < 2:
        return None
    if not any(term.weight >= _TOPIC for term in read_question(match["main"]).terms):
        return None  # nothing is asked but the clause itself
    outer = f"{match['main']}{match['np']} ({GAP}){match['rest'] or ''}?"
    if match["rel"].lower() == "whose":
        return f"Which {noun} has {clause}?", outer
    return f"Which {noun} {clause}?", outer


def cross(
    context: Context,
    sub: SubQuestion,
    judged: Sequence[SubQuestion],
    weight: Callable[[str], float],
) -> SubQuestion:
    """Return a waiting part with its gap filled, once the parts before it are answered."""
    if not sub.after or any(s.id in sub.after and s.state == "open" for s in judged):
        return sub
    evidence = [e for e in context.evidence if e.sub_question in sub.after]
    if not evidence:
        return replace(sub, state="unanswerable", after=())
    best = evidence[0]
    question = read_question(context.question)
    names = new_names([item.quote for item in evidence[:2]], question, weight, limit=2)
    documents: tuple[str, ...] = ()
    if not names:
        names = new_names([context.view.document(best.ref.name).title], question, weight, limit=1)
        documents = (best.ref.name,)
    filled = sub.text.replace(GAP, ", ".join(names) or "it")
    return replace(sub, text=filled, documents=documents, after=())
