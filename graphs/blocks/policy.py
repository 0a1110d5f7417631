"""One model that calls tools until it answers: think, act, think, ... (shape "one policy").

1. A turn is one reply: calls, or an answer in words. An answer counts only if the same reply calls
   nothing. The first reply has to look something up.
2. The conversation grows by the model's replies and what its calls gave, nothing is summarised:
   these systems keep their messages as their memory.
3. Calls are written as tool calls, JSON or tags, as the graph or the setting of the run says; one
   parser reads all three.
4. Behind it the answer is written down as claims with quotes of what was seen, one call more than
   the papers make.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from pagehop.agents.moves import Context, Observation, Turn
from pagehop.agents.prompting import round_messages
from pagehop.agents.reasoner import Reasoner, Unusable
from pagehop.agents.replies import Reply, read_json, read_reply, text_of
from pagehop.agents.reply_schemas import policy_schema
from pagehop.graphs.blocks.answering import answer_from
from pagehop.graphs.blocks.flow import Flow
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.graph import Graph
from pagehop.graphs.state import State

_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)
_RIGHT = {
    "native": "(one sentence, then tool calls; or the answer in words and no call)",
    "json": '{"thought": "...", "calls": [{"tool": "semantic_search", "arguments": {"query": '
    '"..."}}]}',
    "tags": "<think>...</think><search>what to search for</search>",
}


@dataclass(frozen=True)
class PolicyGraph(Graph):
    """Base of the graphs in which one model decides everything."""

    turns: int = 10
    """Most replies that may call tools."""

    def draw(self, flow: Flow) -> None:
        """Add the nodes."""
        flow.add(self.think, to=["act", "answer"])
        flow.add(self.act, to=["think"])

    async def think(self, step: Step) -> str:
        """Let the model take its turn."""
        return await take_turn(step, self.name, most=self.turns)

    async def act(self, step: Step) -> None:
        """Make its calls."""
        await step.calls(step.state["pending"])

    async def answer(self, step: Step) -> None:
        """Write its answer down as claims with quotes."""
        await answer_from(step, told=first_answer(step))


def first_answer(step: Step) -> str:
    """Return what the reader is told of the graph's own answer, or of what it still missed."""
    said, missing = (str(step.memo.get(name) or "") for name in ("answer", "missing"))
    if not said and missing:
        return f"No first answer was given. What was still missing: {missing}"
    return f"A first answer was given; write down what the pages bear out:\n{said}" if said else ""


async def take_turn(
    step: Step,
    prompt: str,
    *,
    most: int,
    more: str = "",
    visible: Sequence[Observation] | None = None,
) -> str:
    """Ask the policy for its next turn; return `act` or `answer`.

    Args:
        step: Of the node.
        prompt: Name of the policy's prompt.
        most: Turns that it has.
        more: Said with the number of the turn.
        visible: What it sees of the tools' results; None is all.
    """
    turn = step.memo["turns"] = int(step.memo.get("turns", 0)) + 1
    if turn > most:
        step.note(f"All {most} turns are taken.")
        return "answer"
    reasoner = step.reasoner
    assert reasoner is not None
    context = step.context()
    if visible is not None:
        context = replace(context, observations=tuple(visible))
    status = "\n".join(filter(None, (f"Turn {turn} of {most}.", more, *context.nudges)))

    def make(*, level: int) -> list[BaseMessage]:
        return [
            SystemMessage(_system(reasoner, prompt, level)),
            HumanMessage(f"{reasoner.library(context)}\n\nQuestion: {context.question}"),
            *round_messages(context, reasoner.grammar, pictures=reasoner.pictures),
            HumanMessage(status),
        ]

    def read(message: AIMessage) -> tuple[Reply, str, str]:
        reply = _read(message, context, [tool.name for tool in reasoner.tools])
        text = text_of(message)
        return reply, text, "" if reply.calls else _words(text, reply)

    schema = policy_schema(reasoner.tools, begun=bool(context.tried))
    reply, text, answer = await step.reply(
        "policy", make, read, _RIGHT[reasoner.grammar], tools=True,
        schema=schema if reasoner.grammar == "json" else None,
    )  # fmt: skip
    said = [Turn(step.state["step"], text, status)]
    step.says |= {"thought": reply.thought, "turn": turn}
    if not reply.calls:
        step.memo["answer"] = answer
        step.take(State(turns=said))
        return "answer"
    step.take(State(turns=said, pending=list(reply.calls)))
    return "act"


def _system(reasoner: Reasoner, prompt: str, level: int) -> str:
    """Return the policy's own prompt, and how calls are written unless it says so itself."""
    own = reasoner.prompts[prompt]
    if "<search>" in own:
        return own
    parts = [own, reasoner.prompts[f"policy_{reasoner.grammar}"]]
    if reasoner.grammar != "native":
        parts.append(reasoner.texts.written("line" if level else "short"))
    return "\n\n".join(parts)


def _read(message: AIMessage, context: Context, offered: Sequence[str]) -> Reply:
    """Read a turn's calls or answer.

    Raises:
        Unusable: It cannot be read, calls what is not offered, or answers before it looked.
    """
    reply = read_reply(message, context.observations)
    if reply.problem:
        raise Unusable(reply.problem)
    for call in reply.calls:
        if call.tool not in offered:
            raise Unusable(f"{call.tool} cannot be called here: {', '.join(offered)} can.")
    if reply.done and not context.tried:
        raise Unusable("Nothing was looked up yet: search the documents before you answer.")
    return reply


def _words(text: str, reply: Reply) -> str:
    """Return the answer of a reply that calls nothing, in the model's words."""
    if found := _ANSWER.search(text):
        return found[1].strip()
    value = read_json(text) or {}
    said = value.get("answer") or value.get("final_answer") or ""
    return str(said).strip() or reply.thought.strip()
