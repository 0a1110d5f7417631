"""The roles of a run filled by a chat model; what they are asked is in `prompts/`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from pagehop.agents.moves import (
    Call,
    Claim,
    Context,
    Draft,
    Explore,
    Finding,
    Plan,
    Reflection,
    Roles,
    SubQuestion,
    Summary,
)
from pagehop.agents.prompting import (
    answerer_messages,
    explorer_messages,
    planner_messages,
    standalone_messages,
)
from pagehop.agents.reasoner import Reasoner, Unusable, read_object
from pagehop.agents.replies import Reply, read_json, read_reply, text_of
from pagehop.agents.reply_schemas import ANSWER, KEEP, PLAN
from pagehop.agents.verifier import RuleVerifier, problems
from pagehop.errors import LibraryError
from pagehop.tools.verify import nearest_line
from pagehop.types import PageRef, Usage

State = Literal["open", "answered", "unanswerable"]
FIRST_PAGES = 3
"""Pages read by code with effort low."""
MOST_PARTS = 8
MOST_QUESTION = 2_000
"""Characters of a rewritten question."""
_RIGHT_PLAN = '{"thought": "...", "parts": [{"id": "Q1", "text": "...", "needs": "a number"}]}'
_RIGHT_CALLS = {
    "native": "(one sentence, then tool calls; or one sentence and no call)",
    "json": '{"thought": "...", "calls": [{"tool": "read_page", "arguments": {"ref": "..."}}]}',
    "tags": "<think>...</think><search>what to search for</search>",
}
_RIGHT_KEEP = (
    '{"evidence": [{"ref": "name:page", "quote": "words of that page", "part": "Q1"}], "notes": [],'
    ' "parts": [{"id": "Q1", "state": "answered"}], "missing": "", "sufficient": true}'
)
_RIGHT_ANSWER = (
    '{"claims": [{"text": "...", "evidence": ["E1"], "calculations": []}], "unanswerable": false}'
)


def model_roles(make_reasoner: Callable[[], Reasoner]) -> Callable[[], Roles]:
    """Return a function that makes the roles of one run, all filled by one model."""

    def make() -> Roles:
        reasoner = make_reasoner()
        return Roles(
            planner=ModelPlanner(reasoner),
            explorer=ModelExplorer(reasoner),
            summarizer=ModelCondenser(reasoner),
            reflector=ModelReflector(),
            answerer=ModelAnswerer(reasoner),
            verifier=RuleVerifier(),
        )

    return make


class ModelPlanner:
    """Splits the question into parts."""

    def __init__(self, reasoner: Reasoner) -> None:
        """Share the run's model."""
        self._reasoner = reasoner

    async def step(self, context: Context) -> Plan:
        """Return the parts; with effort low the question is the only one."""
        usage, question = Usage(), ""
        if context.history:
            question, usage = await self._standalone(context)
            context = replace(context, question=question)
        if context.effort == "low":
            parts = (SubQuestion("Q1", context.question),)
            return Plan(parts, question=question, usage=usage if question else None)
        library = self._reasoner.library(context)
        names = {document.name for document in context.view.documents()}

        def make(*, brief: bool) -> list[BaseMessage]:
            return planner_messages(context, self._reasoner.prompts, library)

        def read(message: AIMessage) -> Plan:
            value = read_object(message, read_json)
            parts = _parts(value.get("parts"), names)
            if not parts:
                raise Unusable('"parts" needs at least one object with a "text".')
            return Plan(tuple(parts), str(value.get("thought", "")))

        plan, usage = await self._reasoner.ask(
            "planner", context, make, read, _RIGHT_PLAN, schema=PLAN, spent=usage
        )
        return replace(plan, question=question, usage=usage)

    async def _standalone(self, context: Context) -> tuple[str, Usage]:
        """Return a follow-up so that it can be understood without the conversation."""

        def make(*, brief: bool) -> list[BaseMessage]:
            return standalone_messages(context, self._reasoner.prompts)

        def read(message: AIMessage) -> str:
            text = " ".join(text_of(message).split()).strip('"')
            if not text:
                raise Unusable("The reply was empty.")
            if len(text) > MOST_QUESTION:
                raise Unusable("That is no question: repeat the question alone, in one sentence.")
            return text

        return await self._reasoner.ask("standalone", context, make, read, context.question)


class ModelExplorer:
    """Chooses the next calls."""

    def __init__(self, reasoner: Reasoner) -> None:
        """Share the run's model."""
        self._reasoner = reasoner

    async def step(self, context: Context) -> Explore:
        """Return calls, or that nothing more is to be looked up."""
        if context.effort == "low":
            return _first_look(context)
        reasoner = self._reasoner

        def make(*, brief: bool) -> list[BaseMessage]:
            return explorer_messages(
                context, reasoner.prompts, reasoner.library(context), reasoner.grammar,
                reasoner.texts, brief=brief, pictures=reasoner.pictures,
            )  # fmt: skip

        def read(message: AIMessage) -> tuple[Reply, str]:
            reply = read_reply(message, context.observations)
            if reply.problem:
                raise Unusable(reply.problem)
            if reply.done and not context.tried:
                raise Unusable(
                    "Nothing was looked up yet: the documents have to be searched before the "
                    "question can be answered or given up."
                )
            return reply, text_of(message)

        (reply, text), usage = await reasoner.ask(
            "explorer", context, make, read, _RIGHT_CALLS[reasoner.grammar], tools=True,
            schema=reasoner.calls_schema(),
        )  # fmt: skip
        calls = _for_parts(context, reply.calls)
        done = reply.done and not calls
        return Explore(calls, reply.thought, done=done, reply=text, usage=usage)


class ModelCondenser:
    """Keeps evidence and judges what is answered, in one call that ends the round."""

    def __init__(self, reasoner: Reasoner) -> None:
        """Share the run's model."""
        self._reasoner = reasoner

    async def step(self, context: Context) -> Summary:
        """Return findings, notes and the judgement."""
        reasoner = self._reasoner

        def make(*, brief: bool) -> list[BaseMessage]:
            messages = explorer_messages(
                context, reasoner.prompts, reasoner.library(context), reasoner.grammar,
                reasoner.texts, brief=brief, pictures=reasoner.pictures, asked=False,
            )  # fmt: skip
            return [*messages, HumanMessage(reasoner.prompts["condenser"])]

        before: list[Summary] = []

        def read(message: AIMessage) -> Summary:
            try:
                summary, wrong = _summary(context, read_object(message, read_json))
            except Unusable:
                if before:  # what was right the first time is not lost with a bad repair
                    return before[0]
                raise
            if wrong and not before:
                before.append(summary)
                kept = f"{len(summary.findings)} of the pieces of evidence are kept. "
                raise Unusable(kept + " ".join(wrong[:4]) + " Send the whole object again.")
            return _joined(before, summary)

        summary, usage = await reasoner.ask(
            "condenser", context, make, read, _RIGHT_KEEP, tools=True, schema=KEEP
        )
        return replace(summary, usage=usage)


class ModelReflector:
    """Gives the judgement that the condenser made; asked only when it made none."""

    async def step(self, context: Context) -> Reflection:
        """Go on with what is open."""
        still = [sub for sub in context.sub_questions if sub.state == "open"]
        return Reflection(
            sufficient=bool(context.evidence) and not still,
            missing="; ".join(sub.text for sub in still),
            sub_questions=context.sub_questions,
        )


class ModelAnswerer:
    """Writes claims over the evidence."""

    def __init__(self, reasoner: Reasoner) -> None:
        """Share the run's model."""
        self._reasoner = reasoner

    async def step(self, context: Context) -> Draft:
        """Return the claims; without any evidence there is nothing to write."""
        if not context.evidence and not context.calculations:
            return Draft(unanswerable=True, reason=_nothing(context))

        def make(*, brief: bool) -> list[BaseMessage]:
            return answerer_messages(context, self._reasoner.prompts)

        tries = 0

        def read(message: AIMessage) -> Draft:
            nonlocal tries
            tries += 1
            draft = _draft(context, read_object(message, read_json))
            wrong = _unsupported(draft, context)
            if wrong and tries == 1:
                raise Unusable(wrong)
            return draft

        draft, usage = await self._reasoner.ask(
            "answerer", context, make, read, _RIGHT_ANSWER, schema=ANSWER
        )
        return replace(draft, usage=usage)


def _first_look(context: Context) -> Explore:
    """Search in both ways, then read the best pages: no model call."""
    part = context.sub_questions[0].id if context.sub_questions else "Q1"
    query = {"query": context.question}
    if not context.tried:
        searches = ("semantic_search", "keyword_search")
        return Explore(tuple(Call(tool, query, sub_question=part) for tool in searches))
    refs = [
        str(hit["ref"]) for item in context.observations for hit in item.artifact.get("hits", ())
    ]
    pages = list(dict.fromkeys(refs))[:FIRST_PAGES]
    read = tuple(Call("read_page", {"ref": ref}, sub_question=part) for ref in pages)
    return Explore(read, done=True)


def _for_parts(context: Context, calls: Sequence[Call]) -> tuple[Call, ...]:
    """Note the part each call is most likely for: the open one that shares most words with it."""
    still = [sub for sub in context.sub_questions if sub.state == "open"] or context.sub_questions
    if not still:
        return tuple(calls)

    def shared(sub: SubQuestion, call: Call) -> int:
        words = set(" ".join(map(str, call.arguments.values())).casefold().split())
        return len(words & set(sub.text.casefold().split()))

    return tuple(
        replace(call, sub_question=max(still, key=lambda sub: shared(sub, call)).id)
        for call in calls
    )


def _parts(value: object, names: set[str], first: int = 1) -> list[SubQuestion]:
    parts: list[SubQuestion] = []
    for item in value if isinstance(value, list) else []:
        given = {"text": item} if isinstance(item, str) else item
        if not isinstance(given, Mapping):
            continue
        text = str(given.get("text") or given.get("question") or "").strip()
        if not text or len(parts) == MOST_PARTS:
            continue
        parts.append(
            SubQuestion(
                id=f"Q{first + len(parts)}",
                text=text,
                needs=str(given.get("needs") or ""),
                documents=tuple(n for n in _listed(given.get("documents")) if n in names),
                after=tuple(_listed(given.get("after"))),
            )
        )
    known = {part.id for part in parts}
    return [replace(p, after=tuple(a for a in p.after if a in known and a != p.id)) for p in parts]


def _items(value: Mapping[str, Any], name: str) -> list[Any]:
    """Return the list of that name; empty when there is none.

    Raises:
        Unusable: It is a number or the like.
    """
    given = value.get(name) or []
    if isinstance(given, str | Mapping):
        return [given]
    if not isinstance(given, list):
        raise Unusable(f'"{name}" is a list, not {given!r}.')
    return given


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [str(part).strip() for part in value] if isinstance(value, list) else []


def _summary(context: Context, value: Mapping[str, Any]) -> tuple[Summary, list[str]]:
    """Return the summary, and what is wrong with its findings in words for the model."""
    findings, problems = [], []
    if not {"evidence", "parts", "sufficient", "give_up", "notes"} & value.keys():
        raise Unusable('The object has none of "evidence", "parts" and "sufficient".')
    for item in _items(value, "evidence"):
        finding = _finding(context, item)
        if isinstance(finding, Finding):
            findings.append(finding)
        else:
            problems.append(finding)
    notes = tuple(str(note) for note in _items(value, "notes") if str(note).strip())
    return Summary(tuple(findings), notes, _reflection(context, value)), problems


def _joined(before: Sequence[Summary], summary: Summary) -> Summary:
    """Return a summary with the findings of the one before it that it does not repeat."""
    known = {(finding.ref, finding.quote) for finding in summary.findings}
    earlier = [f for one in before for f in one.findings if (f.ref, f.quote) not in known]
    return replace(summary, findings=(*earlier, *summary.findings))


def _finding(context: Context, item: object) -> Finding | str:
    """Return a finding whose words are on its page, or why it cannot be kept."""
    if not isinstance(item, Mapping):
        return f"An evidence is an object with ref, quote and part, not {str(item)[:60]!r}."
    quote = " ".join(str(item.get("quote") or item.get("reading") or "").split())
    written = str(item.get("ref") or "").strip(" []")
    ref = _page(written)
    if ref is None:
        return f"{written[:60]!r} is no page: write name:page, e.g. report_2018:12."
    if not quote:
        return f"The evidence on {ref} has no quote."
    call = _call_for(context, ref)
    if call is None:
        return f"{ref} was not read or found in this round; keep only what you have seen."
    known = {sub.id for sub in context.sub_questions}
    part = str(item.get("part") or "")
    part = part if part in known else call.sub_question or next(iter(known), "Q1")
    if item.get("reading") and not item.get("quote"):
        box = _box(item.get("box")) or (0.0, 0.0, 1.0, 1.0)
        return Finding(ref, quote, call.id, 1.0, part, box=box, kind="reading")
    try:
        located = context.view.locate(ref, quote)
    except LibraryError as error:
        return f"{error}."
    if located is None:
        nearest = nearest_line(context.view.page(ref).text, quote)
        return (
            f"These words are not on {ref}: {quote[:100]!r}"
            + (f"; the nearest line there is {nearest[:160]!r}" if nearest else "")
            + ". Copy them exactly as they stand there, without leaving any out, or leave it away."
        )
    return Finding(ref, quote, call.id, 1.0, part)


def _page(written: str) -> PageRef | None:
    name, _, page = written.rpartition(":")
    return PageRef(name, int(page)) if name and page.isdigit() and int(page) > 0 else None


def _box(value: object) -> tuple[float, float, float, float] | None:
    if isinstance(value, list) and len(value) == 4:
        try:
            x0, y0, x1, y1 = (min(max(float(v), 0.0), 1.0) for v in value)
        except (TypeError, ValueError):
            return None
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
    return None


def _call_for(context: Context, ref: PageRef) -> Call | None:
    """Return the call of this round that showed a page: the one that read it, else a search."""
    wanted = str(ref)
    showed = [o for o in context.observations if o.ok and wanted in _shown_pages(o.artifact)]
    read = [o for o in showed if o.call.arguments.get("ref")]
    chosen = (read or showed)[-1:]
    return chosen[0].call if chosen else None


def _shown_pages(artifact: Mapping[str, Any]) -> set[str]:
    """Return every page that an artifact refers to, wherever in it."""
    pages: set[str] = set()
    for key, value in artifact.items():
        if key in ("ref", "to", "from", "page") and isinstance(value, str):
            pages.add(value)
        elif isinstance(value, Mapping):
            pages |= _shown_pages(value)
        elif isinstance(value, list | tuple):
            for item in value:
                if isinstance(item, Mapping):
                    pages |= _shown_pages(item)
                elif isinstance(item, str):
                    pages.add(item)
    return pages


def _reflection(context: Context, value: Mapping[str, Any]) -> Reflection:
    states: dict[str, State] = {}
    for item in _items(value, "parts"):
        for state in get_args(State):
            if isinstance(item, Mapping) and item.get("state") == state:
                states[str(item.get("id"))] = state
    judged = tuple(
        replace(sub, state=states.get(sub.id, sub.state)) for sub in context.sub_questions
    )
    names = {document.name for document in context.view.documents()}
    room = MOST_PARTS - len(judged)
    new = _parts(value.get("new_parts"), names, first=len(judged) + 1)[: max(0, room)]
    return Reflection(
        sufficient=bool(value.get("sufficient")),
        missing=str(value.get("missing") or ""),
        sub_questions=(*judged, *new),
        contradictions=tuple(str(text) for text in _items(value, "contradictions")),
        give_up=bool(value.get("give_up")),
        thought=str(value.get("reason") or ""),
    )


def _nothing(context: Context) -> str:
    """Say why there is nothing to answer with, in the model's words where it gave some."""
    reflection = context.reflection
    if reflection is not None and reflection.thought:
        return reflection.thought
    missing = reflection.missing if reflection is not None else ""
    return f"Nothing was found for: {missing}" if missing else "Nothing was found."


def _unsupported(draft: Draft, context: Context) -> str:
    """Say which claims would be removed and why, for one chance to mend them."""
    reasons = problems(draft.claims, context)
    wrong = [
        f"The claim {claim.text[:120]!r} would be removed: {reason}."
        for claim, reason in zip(draft.claims, reasons, strict=True)
        if reason
    ]
    mend = "Name the evidence or calculation that holds it, or state only what they hold."
    return " ".join([*wrong[:3], mend]) if wrong else ""


def _draft(context: Context, value: Mapping[str, Any]) -> Draft:
    if value.get("unanswerable"):
        return Draft(unanswerable=True, reason=str(value.get("reason") or ""))
    evidence = {item.id for item in context.evidence}
    calculations = {f"C{i}": o.call.id for i, o in enumerate(context.calculations, 1)}
    claims = []
    for item in _items(value, "claims"):
        if not isinstance(item, Mapping) or not str(item.get("text") or "").strip():
            raise Unusable('A claim is an object with "text" and "evidence".')
        ids = _listed(item.get("evidence"))
        sums = _listed(item.get("calculations"))
        wrong = [name for name in ids if name not in evidence]
        wrong += [name for name in sums if name not in calculations]
        if wrong:
            known = ", ".join(sorted(evidence)) or "none"
            raise Unusable(f"There is no {wrong[0]}; the evidence is {known}.")
        if not ids and not sums:
            raise Unusable(
                f"The claim {str(item['text'])[:80]!r} names no evidence. Every claim needs it; "
                "what was not found goes into not_found."
            )
        claims.append(
            Claim(str(item["text"]).strip(), tuple(ids), tuple(calculations[s] for s in sums))
        )
    if not claims:
        raise Unusable('Give claims, or "unanswerable": true with a reason.')
    return Draft(tuple(claims), reason=str(value.get("not_found") or ""))
