"""What each role's model reads: messages made from a context and the files in `prompts/`.

Stable parts come first and growing parts are appended, so that an endpoint can reuse the prefix:
system, then question and library, evidence, notes, parts, then the round's calls and observations
as they happened, then what changes with every step.

Text of documents is data. In the JSON and tag grammars it stands between `<observation>` marks that
it cannot close; in native calls it is the content of tool messages.
"""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from pagehop.agents.ledger import (
    ANSWER_CHARACTERS,
    EXPLORE_CHARACTERS,
    show_calculations,
    show_evidence,
    show_looked_up,
    show_notes,
)
from pagehop.agents.moves import Context, Observation
from pagehop.agents.repeats import SAME_CALL, without_repeats
from pagehop.agents.tool_texts import ToolTexts
from pagehop.errors import ConfigError
from pagehop.layout.titles import tells_more
from pagehop.tools.pictures import NO_PICTURE, NO_SHEET, draw
from pagehop.tools.surroundings import written

if TYPE_CHECKING:
    from PIL.Image import Image

    from pagehop.library.view import View

Grammar = Literal["native", "json", "tags"]
LOOP_PROMPTS = (
    "planner", "explorer", "grammar_native", "grammar_json", "grammar_tags", "keeping", "condenser",
    "reflector", "answerer", "standalone", "perceiver", "former", "explorer_brief", "keeping_brief",
)  # fmt: skip
"""Of the main machine."""
PROMPTS = (
    *LOOP_PROMPTS, "reader", "judge", "seeker", "inspector", "mdoc_general", "mdoc_critic",
    "mdoc_text", "mdoc_image", "policy_native", "policy_json", "policy_tags", "vrag", "text_only",
    "marag",
)  # fmt: skip
"""Names that `prompts=` may replace."""
_REFERENCE = "\n(picture "
"""Begins what the tools say of a picture to a client that renders it itself."""
LISTED = 40
"""Documents that the overview lists one by one."""


@lru_cache(maxsize=32)
def shipped(name: str) -> str:
    """Return a prompt file's text."""
    return (files("pagehop.prompts") / f"{name}.md").read_text(encoding="utf-8").strip()


class Prompts:
    """The prompts of a run: the shipped ones, or a user's own in their place."""

    def __init__(self, own: Mapping[str, str] | None = None) -> None:
        """Take a user's texts by name.

        Raises:
            ConfigError: There is no prompt of that name.
        """
        self._own = dict(own or {})
        for name in self._own:
            if name not in PROMPTS:
                raise ConfigError(f"prompts has {name!r}; the names are {', '.join(PROMPTS)}")

    def __getitem__(self, name: str) -> str:
        own = self._own.get(name) or self._own.get(name.removesuffix("_brief"))
        return own or shipped(name)


def standalone_messages(context: Context, prompts: Prompts) -> list[BaseMessage]:
    """Return the prompt that makes a follow-up stand alone."""
    said = "\n\n".join(
        f"User: {one.question}\nAnswer: {one.answer[:1500]}" for one in context.history
    )
    asked = f"The conversation:\n\n{said}\n\nThe next question: {context.question}"
    return [SystemMessage(prompts["standalone"]), HumanMessage(asked)]


def planner_messages(context: Context, prompts: Prompts, library: str) -> list[BaseMessage]:
    """Return the prompt of the planner."""
    return [SystemMessage(prompts["planner"]), HumanMessage(_question(context, library))]


def explorer_messages(
    context: Context,
    prompts: Prompts,
    library: str,
    grammar: Grammar,
    tools: ToolTexts,
    *,
    level: int = 0,
    pictures: bool = False,
    asked: bool = True,
) -> list[BaseMessage]:
    """Return the prompt of the explorer.

    Args:
        context: Of the step.
        prompts: Texts by name.
        library: Overview of the library.
        grammar: How calls are written.
        tools: Described in the prompt unless calls are native.
        level: 0 is whole; 1 has a line for each tool instead of its text; 2 has the shortest
            instructions, too.
        pictures: The model is shown the pictures that tools made.
        asked: False lets it end with the last observation.
    """
    form = "_brief" if level > 1 else ""
    system = prompts[f"explorer{form}"] + "\n\n" + prompts[f"grammar_{grammar}"]
    if grammar != "native":
        system += "\n\n" + tools.written("line" if level else "short")
    system += "\n\n" + prompts[f"keeping{form}"]
    messages: list[BaseMessage] = [
        SystemMessage(system),
        HumanMessage(_question(context, library)),
        HumanMessage(known(context)),
    ]
    messages += round_messages(context, grammar, pictures=pictures)
    if asked:
        messages.append(HumanMessage(status(context)))
    return messages


def answerer_messages(context: Context, prompts: Prompts) -> list[BaseMessage]:
    """Return the prompt of the answerer."""
    parts = [f"Question: {context.question}"]
    if titles := _titles(context):
        parts.append(f"Documents:\n{titles}")
    parts.append(f"Evidence:\n{show_evidence(context, ANSWER_CHARACTERS) or 'none'}")
    if context.calculations:
        parts.append(f"Calculations:\n{show_calculations(context.calculations)}")
    if notes := show_notes(context):
        parts.append(f"Notes (not evidence):\n{notes}")
    parts.append(f"Parts:\n{_parts(context)}")
    if context.reflection and context.reflection.missing:
        parts.append(f"Still missing: {context.reflection.missing}")
    return [SystemMessage(prompts["answerer"]), HumanMessage("\n\n".join(parts))]


def reflector_messages(context: Context, prompts: Prompts, library: str) -> list[BaseMessage]:
    """Return the prompt of a reflector that is asked on its own."""
    return [
        SystemMessage(prompts["reflector"]),
        HumanMessage(_question(context, library)),
        HumanMessage(known(context, ANSWER_CHARACTERS, recalls=False)),
    ]


def known(context: Context, characters: int = EXPLORE_CHARACTERS, *, recalls: bool = True) -> str:
    """Return what is known at the start of the round: evidence, notes, parts, what was tried.

    Args:
        context: Of the step.
        characters: Of evidence, about.
        recalls: Who reads it has `recall`.
    """
    evidence = show_evidence(context, characters, recalls=recalls)
    parts = [f"Evidence so far:\n{evidence}" if evidence else "There is no evidence yet."]
    before = [c for c in context.calculations if c not in context.observations]
    if before:
        parts.append(f"Calculations so far:\n{show_calculations(before)}")
    if notes := show_notes(context):
        parts.append(f"Notes:\n{notes}")
    if looked_up := show_looked_up(context):
        parts.append(f"Looked up in earlier rounds:\n{looked_up}")
    parts.append(f"Parts of the question:\n{_parts(context)}")
    reflection = context.reflection
    if reflection is not None:
        if reflection.missing:
            parts.append(f"Still missing: {reflection.missing}")
        parts += [f"Sources disagree: {text}" for text in reflection.contradictions]
    if context.strategy:
        parts.append(
            "Two rounds brought nothing new. Look in another way than before: other words, no "
            "`documents` filter, outline and read_page instead of search, pages next to those read."
        )
    return "\n\n".join(parts)


def round_messages(
    context: Context, grammar: Grammar, *, pictures: bool = False
) -> list[BaseMessage]:
    """Return the round so far as the model said and saw it.

    Pictures stand in a user message behind the observations of their step: servers of the Chat
    Completions form refuse them in tool messages.
    """
    said = {turn.step: turn for turn in context.turns}
    messages: list[BaseMessage] = []
    texts = without_repeats(context.observations)
    observations = [
        replace(o, text=text) for o, text in zip(context.observations, texts, strict=True)
    ]
    by_step = groupby(observations, key=lambda item: _step_of(item.call.id))
    for step, group in by_step:
        seen = list(group)
        turn = said.get(step)
        text = turn.text if turn else ""
        if turn and turn.asked:
            messages.append(HumanMessage(turn.asked))
        if grammar == "native":
            calls = [
                {"name": o.call.tool, "args": dict(o.call.arguments), "id": o.call.id,
                 "type": "tool_call"}
                for o in seen
            ]  # fmt: skip
            messages.append(AIMessage(text, tool_calls=calls))
            messages += [ToolMessage(_shown(o, pictures), tool_call_id=o.call.id) for o in seen]
        else:
            messages.append(AIMessage(text or _as_json(seen)))
            messages.append(HumanMessage("\n\n".join(_marked(o, pictures) for o in seen)))
        if pictures and (blocks := picture_blocks(context.view, seen)):
            messages.append(HumanMessage(blocks))
    called = {_step_of(item.call.id) for item in context.observations}
    for step, turn in said.items():
        if step not in called and turn.text:
            messages += [HumanMessage(turn.asked)] if turn.asked else []
            messages.append(AIMessage(turn.text))
    return messages


def page_messages(
    view: "View", seen: Sequence[Observation], *, pictures: bool = False
) -> list[BaseMessage]:
    """Return what tools showed, one message each, so that a long prompt can be cut evenly."""
    messages: list[BaseMessage] = []
    for item in seen:
        messages.append(HumanMessage(_marked(item, pictures)))
        if pictures and (blocks := picture_blocks(view, [item])):
            messages.append(HumanMessage(blocks))
    return messages


def picture_blocks(view: "View", seen: Sequence[Observation]) -> list[str | dict[str, Any]]:
    """Return what tools showed as content blocks, each with its page and box before it."""
    blocks: list[str | dict[str, Any]] = []
    for item in seen:
        picture = draw(view, item.artifact) if item.ok else None
        if picture is None:
            continue
        if "sheet" in item.artifact:
            head = f"Thumbnails of call {item.call.id}, "
        else:
            head = f"Picture of {item.artifact['ref']}, box {written(item.artifact['box'])}, "
        head += f"{picture.width} x {picture.height} pixels:"
        blocks += [{"type": "text", "text": head}, picture_block(picture)]
    return blocks


def picture_block(picture: "Image") -> dict[str, Any]:
    """Return a picture as LangChain's content block, which every provider's client translates."""
    png = io.BytesIO()
    picture.convert("RGB").save(png, format="PNG")
    data = base64.b64encode(png.getvalue()).decode("ascii")
    return {"type": "image", "base64": data, "mime_type": "image/png"}


def library_overview(context: Context, *, lists: bool = True) -> str:
    """Return the documents, one a line; of many only those that a search finds likely.

    Args:
        context: Of the step.
        lists: The model has `list_documents`.
    """
    documents = context.view.documents()
    if not documents:
        return "The library has no documents."
    if len(documents) <= LISTED:
        count = "1 document" if len(documents) == 1 else f"{len(documents)} documents"
        listed, head = list(documents), f"The library has {count}, with this many pages:"
    else:
        hits = context.view.search(context.question, k=60)
        names = list(dict.fromkeys(hit.name for hit in hits))[: LISTED // 2]
        listed = [context.view.document(name) for name in names]
        head = (
            f"The library has {len(documents)} documents"
            + ("; list_documents(filter) finds them by name. " if lists else ". ")
            + "A first search finds these likely, best first, with this many pages:"
        )
    lines = []
    for document in listed:
        title = document.title[:100] if tells_more(document.title, document.name) else ""
        scans = f", {len(document.scanned_pages)} scanned" if document.scanned_pages else ""
        lines.append(f"{document.name}: {document.pages}{scans}" + (f" | {title}" if title else ""))
    return "\n".join([head, *lines])


def _titles(context: Context) -> str:
    """Return the titles of the documents of the evidence: who "we" is on their pages."""
    names = dict.fromkeys(item.ref.name for item in context.evidence)
    documents = (context.view.document(name) for name in names)
    return "\n".join(
        f"{document.name}: {document.title[:100]}"
        for document in documents
        if tells_more(document.title, document.name)
    )


def _question(context: Context, library: str) -> str:
    return f"{library}\n\nQuestion: {context.question}"


def _parts(context: Context) -> str:
    lines = []
    for sub in context.sub_questions:
        text = sub.text if sub.text.endswith((".", "?", "!")) else f"{sub.text}."
        needs = f" Needs {sub.needs}." if sub.needs else ""
        where = f" In {', '.join(sub.documents)}." if sub.documents else ""
        after = f" After {', '.join(sub.after)}." if sub.after else ""
        lines.append(f"{sub.id} ({sub.state}): {text}{needs}{where}{after}")
    return "\n".join(lines)


def status(context: Context) -> str:
    """Return what the explorer's prompt ends with: how far the run is, what is left."""
    left = [
        f"{value:,.0f} {name.replace('_', ' ')}"
        for name, value in context.budget_left.items()
        if name in ("steps", "tool_calls")
    ]
    lines = [f"Step {context.step}." + (f" Left: {', '.join(left)}." if left else "")]
    if room := context.round_left:
        steps = f"{room['steps']:.0f} steps, this one included,"
        if room["steps"] <= 1:
            steps = "this step, its last,"
        lines.append(
            f"This round has room for {steps} and about {room['characters']:,.0f} characters of "
            "results."
        )
    return "\n".join([*lines, *context.nudges, "What is the next step?"])


def _shown(item: Observation, pictures: bool) -> str:
    if item.text == SAME_CALL:
        return SAME_CALL
    again = "(the same call was made before) " if item.cached else ""
    if not item.ok:
        return f"{again}This call failed: {item.text}"
    if item.artifact.get("width_px") and not pictures and not item.artifact.get("reading"):
        instead = NO_SHEET if "sheet" in item.artifact else NO_PICTURE
        return f"{again}{item.text}\n{instead}\n{item.artifact.get('text') or '(none)'}"
    text = item.text
    if item.artifact.get("width_px") and pictures:
        text = f"{text.partition(_REFERENCE)[0]}\nThe picture follows."
    return f"{again}{text}"


def _marked(item: Observation, pictures: bool) -> str:
    inside = _shown(item, pictures).replace("</observation", "<\\/observation")
    return f'<observation tool="{item.call.tool}" call="{item.call.id}">\n{inside}\n</observation>'


def _as_json(seen: Sequence[Observation]) -> str:
    calls: list[dict[str, Any]] = [
        {"tool": o.call.tool, "arguments": dict(o.call.arguments)} for o in seen
    ]
    return json.dumps({"calls": calls}, ensure_ascii=False)


def _step_of(call: str) -> int:
    return int(call[1:].partition("c")[0]) if call.startswith("s") else 0
