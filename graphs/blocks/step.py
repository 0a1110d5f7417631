"""What a node holds while it works: the question, what the run has seen, and all it may do.

1. `search`, `show`, `call` and `calls` run tools: at once, each with a time limit, identical ones
   from the run's cache, told as events, counted in the budget.
2. `say` and `ask` ask the model in a role: `say` for words, `ask` for a JSON object. Pages go in
   by `shows`; text of documents stands between marks that it cannot close.
3. `keep` makes evidence of quotes that stand on their pages.
4. `memo` is what the graph itself keeps between its nodes: a mapping of JSON-able values.
5. Where the budget does not allow a call, the node ends (`OverBudget`) and the run goes to answer
   with what the node had written down so far.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from pagehop.agents.moves import Call, Context, Finding, Observation, Role, Roles
from pagehop.agents.prompting import page_messages
from pagehop.agents.reasoner import Unusable, read_object
from pagehop.agents.replies import read_json, text_of
from pagehop.graphs.beginning import LISTS
from pagehop.graphs.budget import COSTS, Spent
from pagehop.graphs.findings import sift_one
from pagehop.graphs.graph import Eyes
from pagehop.graphs.nodes import Nodes
from pagehop.graphs.state import State
from pagehop.graphs.telling import told
from pagehop.graphs.threads import in_thread
from pagehop.library.view import View

if TYPE_CHECKING:
    from pagehop.agents.reasoner import Make, Reasoner
    from pagehop.agents.reply_schemas import Schema

T = TypeVar("T")
_ACTING = ("steps", "tool_calls")
"""Limits on what tools do; the others are spent by roles."""


class OverBudget(Exception):
    """The budget does not allow what a node wants; the text names the limit."""


class Step:
    """One node at work. Everything it changes is in `update` when it ends."""

    def __init__(
        self, nodes: Nodes, state: State, *, eyes: Eyes, closing: bool, prompts: Mapping[str, str]
    ) -> None:
        """Begin with the state as the node before left it.

        Args:
            nodes: Of the machine.
            state: Of the run.
            eyes: How pages are seen.
            closing: The node is `answer`, which may spend what is kept for it.
            prompts: Texts of the graph's own roles.
        """
        self.state = State(**state)
        self.update = State()
        self.memo: dict[str, Any] = json.loads(json.dumps(state.get("memo") or {}))
        self.says: dict[str, Any] = {}
        """What the record tells of the node."""
        self._nodes = nodes
        self._eyes = eyes
        self._closing = closing
        self._prompts = prompts
        self._acted = False

    @property
    def question(self) -> str:
        """The question, as it was understood."""
        return self.state["question"]

    @property
    def view(self) -> View:
        """What is searched."""
        return self._nodes.asker.view_of(self.state)

    @property
    def seen(self) -> list[Observation]:
        """What every tool call of the run gave, oldest first."""
        return self.state["observations"]

    @property
    def roles(self) -> Roles:
        """The roles of the main machine, which a graph may let move, too."""
        return self._nodes.scopes.of(self.state["episode_id"]).roles

    @property
    def reasoner(self) -> "Reasoner | None":
        """The model; None where rules answer."""
        return self.roles.reasoner

    @property
    def rules(self) -> bool:
        """No model: `say` and `ask` are not there."""
        return self.reasoner is None

    @property
    def eyes(self) -> Eyes:
        """How pages are seen: in pictures, through a reader of pictures, or by their words."""
        if self._eyes == "pictures" and not (self.reasoner and self.reasoner.pictures):
            return "text"  # the endpoint refused pictures
        return self._eyes

    @property
    def by(self) -> str:
        """What a picture system's search compares: pictures, or text where there are no vectors."""
        return "image" if self.view.has_picture_vectors else "text"

    async def search(
        self, query: str = "", *, k: int = 10, by: str = "text", documents: Sequence[str] = ()
    ) -> dict[str, float]:
        """Find pages by meaning and words; return them with their scores, best first.

        Args:
            query: What to search for; empty takes the question.
            k: Most pages.
            by: text, image (vectors of page pictures) or both.
            documents: Names to search in; empty for all.
        """
        given = {"query": query or self.question, "k": k, "documents": ",".join(documents)}
        by = "" if by == "text" else by
        return _pages(await self.call("semantic_search", **given, by=by))

    async def words(self, query: str = "", *, k: int = 10) -> dict[str, float]:
        """Find pages by the words alone; as `search`."""
        return _pages(await self.call("keyword_search", query=query or self.question, k=k))

    async def show(
        self, pages: Sequence[str], *, form: str = "text", question: str = ""
    ) -> list[Observation]:
        """Read pages, each once a run; return those that could be read, in the order given.

        Args:
            pages: `name:page`.
            form: text, or image for the picture where somebody sees pictures.
            question: What a reader of pictures is asked; empty takes the question.
        """
        looks = form == "image" and self.eyes != "text"
        wanted = [self._reading(page, question or self.question, looks=looks) for page in pages]
        known = {_key(item.call): item for item in self.seen if item.ok}
        new = [call for call in wanted if _key(call) not in known]
        known |= {_key(item.call): item for item in await self.calls(new) if item.ok}
        if looks and (
            left := [p for p, c in zip(pages, wanted, strict=True) if _key(c) not in known]
        ):
            await self.show(left)  # no picture could be had: the words
            known |= {_key(item.call): item for item in self.seen if item.ok}
        shown = [
            known.get(_key(call)) or known.get(_key(self._reading(page, "", looks=False)))
            for page, call in zip(pages, wanted, strict=True)
        ]
        return [item for item in shown if item is not None]

    async def call(self, tool: str, **arguments: object) -> Observation:
        """Call a tool; what went wrong is in the observation."""
        given = {name: value for name, value in arguments.items() if value != ""}
        return (await self.calls([Call(tool, given)]))[0]

    async def calls(self, calls: Sequence[Call]) -> list[Observation]:
        """Call tools at once; return what they gave, in the same order."""
        if not calls:
            return []
        self._begin_acting()
        step = self.state["step"]
        made = sum(call.id.startswith(f"s{step}c") for call in self.state["tried"])
        made += len(self.says.get("not_run", ()))
        named = [
            replace(call, id=f"s{step}c{made + i}", sub_question=call.sub_question or "Q1")
            for i, call in enumerate(calls, 1)
        ]
        before = len(self.seen)
        work = await self._nodes.act(State(**{**self.state, "pending": named}))
        self.take(work.update)
        new = {item.call.id: item for item in self.seen[before:]}
        refused = [call.id for call in named if call.id not in {c.id for c in self.state["tried"]}]
        self.says["calls"] = [*self.says.get("calls", []), *map(told, named)]
        if refused:
            self.says["not_run"] = [*self.says.get("not_run", []), *refused]
        return [new[call.id] for call in named]

    async def say(
        self, role: str, *parts: str, shows: Sequence[Observation] = (), prompt: str = ""
    ) -> str:
        """Ask the model in a role; return its words.

        Args:
            role: For the record, and the name of its prompt.
            parts: What it is told behind its prompt, the question among it.
            shows: Pages that it sees.
            prompt: Name of the prompt, when it is another one.
        """

        def read(message: AIMessage) -> str:
            text = text_of(message).strip()
            if not text:
                raise Unusable("The reply was empty.")
            return text

        make = self._prompt(prompt or role, parts, shows)
        return await self.reply(role, make, read, "(a few sentences)")

    async def ask(
        self,
        role: str,
        *parts: str,
        read: Callable[[Mapping[str, Any]], T],
        example: str,
        shows: Sequence[Observation] = (),
        prompt: str = "",
        schema: "Schema | None" = None,
    ) -> T:
        """Ask the model in a role for a JSON object; return what `read` makes of it.

        Args:
            role: As for `say`, like `parts`, `shows` and `prompt`.
            parts: As for `say`.
            read: Makes a value of the object; raises `Unusable` with what is wrong, for the model,
                which is then asked again.
            example: A right reply.
            shows: As for `say`.
            prompt: As for `say`.
            schema: Of the object, for endpoints that hold a model to one.
        """
        make = self._prompt(prompt or role, parts, shows)

        def read_message(message: AIMessage) -> T:
            return read(read_object(message, read_json))

        return await self.reply(role, make, read_message, example, schema=schema)

    async def reply(
        self,
        role: str,
        make: "Make",
        read: Callable[[AIMessage], T],
        example: str,
        *,
        tools: bool = False,
        schema: "Schema | None" = None,
    ) -> T:
        """Ask the model with messages of one's own; terms as in `Reasoner.ask`.

        Raises:
            OverBudget: There is nothing left for it.
        """
        reasoner = self.reasoner
        assert reasoner is not None, "a graph that runs by rules asks no model"

        self.says["roles"] = [*self.says.get("roles", []), role]

        async def ask(context: Context) -> Reply[T]:
            said = await reasoner.ask(
                role, context, make, read, example, tools=tools, schema=schema
            )
            return Reply(said)

        said: T = (await self.role(_Acts(ask), Reply)).value
        return said

    async def role(
        self, role: Role[T], kind: type[T], *, seen: Sequence[Observation] | None = None
    ) -> T:
        """Let a role make its move.

        Args:
            role: Of `roles`, or one of the graph's own.
            kind: What it must give.
            seen: What it is to know of the tools' results; None is all of them.

        Raises:
            OverBudget: There is nothing left for it, or it did not come in its time.
        """
        limits = self._nodes.asker.limits(self.state)
        if not self._closing and (limit := limits.used_up(self.state["spent"], only=COSTS)):
            raise OverBudget(limit)
        before, reserve = self.state["spent"], float(self._closing)
        state = self.state if seen is None else State(**{**self.state, "observations": [*seen]})
        move, after = await self._nodes.asker.ask(role, kind, state, before, reserve=reserve)
        self.take(State(spent=_plus(self.state["spent"], before, after)))
        if move is None:
            raise OverBudget(limits.used_up(self.state["spent"]) or "seconds")
        return move

    async def keep(self, findings: Sequence[Finding]) -> list[str]:
        """Make evidence of quotes; return the id of each, empty where it is not on its page."""
        ids = []
        for finding in findings:
            state, view = self.state, self.view
            kept, name = await in_thread(sift_one, view, finding, state["evidence"], state["tried"])
            for item in kept.evidence:
                self.tell("evidence", item.id, told(item))
            for text in kept.dropped:
                self.note(text)
            self.take(State(evidence=list(kept.evidence)))
            ids.append(name)
        return ids

    def context(self) -> Context:
        """Return what a role sees of the run."""
        return self._nodes.asker.context(self.state, self.state["spent"])

    def note(self, text: str) -> None:
        """Tell the record, and who watches, what happened."""
        number = self.says["said"] = self.says.get("said", 0) + 1
        self.tell("note", f"{self.says.get('node', 'node')}.note{number}", {"text": text})

    def warn(self, text: str) -> None:
        """Say something beside the answer; the same words once."""
        self.take(State(warnings=[text]))

    def tell(self, kind: Any, what: str, body: Mapping[str, Any]) -> None:
        """Emit an event of this node."""
        self._nodes.teller.tell(self.state, kind, what, body)

    def take(self, update: State) -> None:
        """Change the state; lists grow."""
        places = cast("tuple[dict[str, Any], ...]", (self.state, self.update))  # keys are data here
        for key, value in cast("dict[str, Any]", update).items():
            for place in places:
                place[key] = [*place.get(key, []), *value] if key in LISTS else value

    def _begin_acting(self) -> None:
        """Count a step when a node first calls tools.

        Raises:
            OverBudget: No step is left.
        """
        if self._acted or self._closing:
            return
        spent = self.state["spent"]
        if limit := self._nodes.asker.limits(self.state).used_up(spent, only=_ACTING):
            raise OverBudget(limit)
        self._acted = True
        self.take(State(spent=spent.plus(steps=1)))

    def _reading(self, page: str, question: str, *, looks: bool) -> Call:
        if looks and self._eyes == "reader":
            return Call("look", {"ref": page, "question": question})
        return Call("read_page", {"ref": page, **({"form": "image"} if looks else {})})

    def _prompt(self, name: str, parts: Sequence[str], shows: Sequence[Observation]) -> "Make":
        """Return what makes a prompt: the role's text, what it is told, the pages, the end.

        The last part stands behind the pages where there are several: a long prompt is cut in the
        middle, and a model heeds best what it reads last.
        """
        reasoner, view = self.reasoner, self.view
        assert reasoner is not None
        text = self._prompts.get(name) or reasoner.prompts[name]
        head, last = (parts[:-1], parts[-1:]) if shows and len(parts) > 1 else (parts, ())

        def make(*, level: int) -> list[BaseMessage]:
            return [
                SystemMessage(text),
                HumanMessage("\n\n".join(head)),
                *page_messages(view, shows, pictures=reasoner.pictures),
                *map(HumanMessage, last),
            ]

        return make


@dataclass(frozen=True)
class Reply(Generic[T]):
    """What a role asked through `reply` gave."""

    value: T


@dataclass(frozen=True)
class _Acts(Generic[T]):
    """A role made of one function."""

    move: Callable[[Context], Any]

    async def step(self, context: Context) -> T:
        moved: T = await self.move(context)
        return moved


def _key(call: Call) -> tuple[object, ...]:
    return (call.tool, *sorted((name, str(value)) for name, value in call.arguments.items()))


def _pages(search: Observation) -> dict[str, float]:
    scores: dict[str, float] = {}
    for hit in search.artifact.get("hits", ()):
        scores.setdefault(str(hit["ref"]), float(hit["score"]))
    return scores


def _plus(now: Spent, before: Spent, after: Spent) -> Spent:
    """Return the counters with what a role spent, which may have run beside others."""
    names = ("model_calls", "input_tokens", "output_tokens", "cached_tokens", "money")
    return now.plus(**{name: getattr(after, name) - getattr(before, name) for name in names})
