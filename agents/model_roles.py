"""The roles of a run filled by a chat model; what they are asked is in `prompts/`."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from pagehop.agents.moves import (
    Call,
    Context,
    Draft,
    Explore,
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
    reflector_messages,
    standalone_messages,
    status,
)
from pagehop.agents.reasoner import Reasoner, Unusable, read_object
from pagehop.agents.replies import Reply, read_calls, read_json, read_kept, read_reply, text_of
from pagehop.agents.reply_moves import (
    joined,
    read_draft,
    read_judgement,
    read_parts,
    read_summary,
    shown_pages,
    unsupported,
)
from pagehop.agents.reply_schemas import (
    FIRST_CALLED,
    FIRST_CALLS,
    JUDGE,
    PLAN,
    answer_schema,
    keep_schema,
)
from pagehop.agents.verifier import RuleVerifier
from pagehop.errors import ModelError

FIRST_PAGES = 3
"""Pages read by code with effort low."""
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
_RIGHT_JUDGEMENT = (
    '{"parts": [{"id": "Q1", "state": "open"}], "missing": "...", "sufficient": false}'
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
            reflector=ModelReflector(reasoner),
            answerer=ModelAnswerer(reasoner),
            verifier=RuleVerifier(),
            reasoner=reasoner,
        )

    return make


class ModelPlanner:
    """Splits the question into parts."""

    def __init__(self, reasoner: Reasoner) -> None:
        """Share the run's model."""
        self._reasoner = reasoner

    async def step(self, context: Context) -> Plan:
        """Return the parts; with effort low the question is the only one."""
        question = ""
        if context.history:
            question = await self._standalone(context)
            context = replace(context, question=question)
        if context.effort == "low":
            parts = (SubQuestion("Q1", context.question),)
            return Plan(parts, question=question)
        library = self._reasoner.library(context)
        names = {document.name for document in context.view.documents()}

        def make(*, level: int) -> list[BaseMessage]:
            return planner_messages(context, self._reasoner.prompts, library)

        def read(message: AIMessage) -> Plan:
            value = read_object(message, read_json)
            parts = read_parts(value.get("parts"), names)
            if not parts:
                raise Unusable('"parts" needs at least one object with a "text".')
            calls = [c for c in read_calls(value.get("calls")) if c.tool in FIRST_CALLED]
            first = _for_parts(replace(context, sub_questions=tuple(parts)), calls[:FIRST_CALLS])
            return Plan(tuple(parts), str(value.get("thought", "")), calls=first)

        plan = await self._reasoner.ask("planner", context, make, read, _RIGHT_PLAN, schema=PLAN)
        return replace(plan, question=question)

    async def _standalone(self, context: Context) -> str:
        """Return a follow-up so that it can be understood without the conversation."""

        def make(*, level: int) -> list[BaseMessage]:
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
            return await asyncio.to_thread(_first_look, context)
        reasoner = self._reasoner

        def make(*, level: int) -> list[BaseMessage]:
            return explorer_messages(
                context, reasoner.prompts, reasoner.library(context), reasoner.grammar,
                reasoner.texts, level=level, pictures=reasoner.pictures,
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

        reply, text = await reasoner.ask(
            "explorer", context, make, read, _RIGHT_CALLS[reasoner.grammar], tools=True,
            schema=reasoner.explore_schema(context, shown_pages(context)),
        )  # fmt: skip
        calls = _for_parts(context, reply.calls)
        done = reply.done and not calls
        return Explore(calls, reply.thought, done=done, reply=text, asked=status(context))


class ModelCondenser:
    """Keeps evidence and judges what is answered, in one call that ends the round.

    An explorer that ended the round itself has said it already: then no call is made, unless
    something in it was wrong.
    """

    def __init__(self, reasoner: Reasoner) -> None:
        """Share the run's model."""
        self._reasoner = reasoner

    async def step(self, context: Context) -> Summary:
        """Return findings, notes and the judgement."""
        reasoner = self._reasoner

        def make(*, level: int) -> list[BaseMessage]:
            messages = explorer_messages(
                context, reasoner.prompts, reasoner.library(context), reasoner.grammar,
                reasoner.texts, level=level, pictures=reasoner.pictures, asked=False,
            )  # fmt: skip
            closing = "\n\n".join(filter(None, (reasoner.prompts["condenser"], problem)))
            return [*messages, HumanMessage(closing)]

        before: list[Summary] = []
        said, problem = _said_already(context)
        if said is not None and not problem:
            return _judged(context, said)
        if said is not None:
            before.append(said)

        def read(message: AIMessage) -> Summary:
            try:
                summary, wrong = read_summary(context, read_object(message, read_json))
            except Unusable:
                if before:  # what was right the first time is not lost with a bad repair
                    return before[0]
                raise
            if wrong and not before:
                before.append(summary)
                raise Unusable(_told_wrong(summary, wrong))
            return joined(before, summary)

        try:
            summary = await reasoner.ask(
                "condenser", context, make, read, _RIGHT_KEEP, tools=True,
                schema=keep_schema(shown_pages(context)),
            )  # fmt: skip
        except ModelError:
            # Only the repair failed, and the record says how: what was right before it stands.
            if not before:
                raise
            summary = before[0]
        return _judged(context, summary)


class ModelReflector:
    """Judges on its own with effort high; else the condenser has judged in its own call."""

    def __init__(self, reasoner: Reasoner) -> None:
        """Share the run's model."""
        self._reasoner = reasoner

    async def step(self, context: Context) -> Reflection:
        """Return the judgement, with a fresh look at nothing but evidence and notes."""
        reasoner = self._reasoner
        if context.effort != "high":
            return self._what_is_open(context)

        def make(*, level: int) -> list[BaseMessage]:
            return reflector_messages(context, reasoner.prompts, reasoner.library(context))

        def read(message: AIMessage) -> Reflection:
            value = read_object(message, read_json)
            if not {"parts", "sufficient", "give_up", "missing"} & value.keys():
                raise Unusable('The object has neither "parts" nor "sufficient".')
            return read_judgement(context, value)

        return await reasoner.ask("reflector", context, make, read, _RIGHT_JUDGEMENT, schema=JUDGE)

    def _what_is_open(self, context: Context) -> Reflection:
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

        def make(*, level: int) -> list[BaseMessage]:
            return answerer_messages(context, self._reasoner.prompts)

        tries = 0

        def read(message: AIMessage) -> Draft:
            nonlocal tries
            tries += 1
            draft = read_draft(context, read_object(message, read_json))
            wrong = unsupported(draft, context)
            if wrong and tries == 1:
                raise Unusable(wrong)
            return draft

        evidence = [item.id for item in context.evidence]
        calculations = [f"C{i}" for i in range(1, len(context.calculations) + 1)]
        return await self._reasoner.ask(
            "answerer", context, make, read, _RIGHT_ANSWER,
            schema=answer_schema(evidence, calculations),
        )  # fmt: skip


def _said_already(context: Context) -> tuple[Summary | None, str]:
    """Return what the explorer kept in the reply that ended the round, and what is wrong in it."""
    last = context.turns[-1] if context.turns else None
    value = read_kept(last.text) if last is not None and last.step == context.step else None
    if value is None:
        return None, ""
    try:
        summary, wrong = read_summary(context, value)
    except Unusable as error:
        return None, str(error)
    return summary, _told_wrong(summary, wrong) if wrong else ""


def _told_wrong(summary: Summary, wrong: Sequence[str]) -> str:
    kept = f"{len(summary.findings)} of the pieces of evidence are kept. "
    return kept + " ".join(wrong[:4]) + " Send the whole object again."


def _judged(context: Context, summary: Summary) -> Summary:
    """Return a summary; with effort high its judgement is left to the reflector."""
    return replace(summary, reflection=None) if context.effort == "high" else summary


def _first_look(context: Context) -> Explore:
    """Search in both ways and read the best pages, all in one step: no model call."""
    part = context.sub_questions[0].id if context.sub_questions else "Q1"
    asked = [
        Call(tool, {"query": context.question}, sub_question=part)
        for tool in ("semantic_search", "keyword_search")
    ]
    hits = context.view.search(context.question, k=FIRST_PAGES)
    asked += [Call("read_page", {"ref": str(hit.ref)}, sub_question=part) for hit in hits]
    return Explore(tuple(asked), done=True)


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


def _nothing(context: Context) -> str:
    """Say why there is nothing to answer with, in the model's words where it gave some."""
    reflection = context.reflection
    if reflection is not None and reflection.thought:
        return reflection.thought
    missing = reflection.missing if reflection is not None else ""
    return f"Nothing was found for: {missing}" if missing else "Nothing was found."
