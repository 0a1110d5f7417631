"""Crossing a bridge: the answer to one part becomes words of the next.

The names that the first part's evidence brings fill the gap of the second part. Evidence without a
new name still says where to look: its document, and the names in that document's own title.
Source: GoldEn Retriever (SYSTEMS 1.17): the second query is made of what the first one found.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pagehop.agents.leads import new_names
from pagehop.agents.moves import Context, SubQuestion
from pagehop.agents.question import read_question

GAP = "[...]"
"""Stands in a part's text for what another part is to find."""


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
