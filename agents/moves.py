"""What the roles see and what they answer: the context and the moves.

A role is `async step(context) -> move`. A language model and a set of rules fill the same roles;
the machine (graphs/explore.py) never knows which.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from pagehop.answers import Evidence, Usage
from pagehop.events import EventType
from pagehop.types import PageRef, as_tuples

if TYPE_CHECKING:
    from pagehop.agents.reasoner import Reasoner
    from pagehop.library.view import View


@dataclass(frozen=True)
class Exchange:
    """One question and answer of a conversation."""

    question: str
    """As it was understood: self-contained."""
    answer: str


@dataclass(frozen=True)
class SubQuestion:
    """One part of the question, and how far it is."""

    id: str
    """`Q1`, `Q2`, ..."""
    text: str
    """Self-contained: names its document, company, year where they are known."""
    state: Literal["open", "answered", "unanswerable"] = "open"
    needs: str = ""
    """What would answer it: a number, a name, a date, a sentence, ..."""
    documents: tuple[str, ...] = ()
    """Names of the documents it is scoped to; empty means all."""
    after: tuple[str, ...] = ()
    """Ids of sub-questions whose answers it needs first (a bridge)."""

    def __post_init__(self) -> None:
        """Restore what msgpack turns into lists when a checkpoint is read."""
        as_tuples(self, "documents", "after")


@dataclass(frozen=True)
class Call:
    """One tool call that a role asks for."""

    tool: str
    arguments: Mapping[str, Any]
    """Flat strings and numbers."""
    id: str = ""
    """Given by the machine: `s3c1` is the first call of step 3."""
    sub_question: str = ""


@dataclass(frozen=True)
class Observation:
    """What a tool call gave."""

    call: Call
    ok: bool
    text: str
    """What the reasoner reads; for a failed call the error with its way out."""
    artifact: Mapping[str, Any] = field(default_factory=dict)
    """References only (page refs, boxes, region ids, scores), JSON-able."""
    cached: bool = False
    """An identical call of this run was answered before."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Turn:
    """What the explorer said in one step of the current round, beside its calls."""

    step: int
    text: str
    """As the model wrote it; rules give their thought."""
    asked: str = ""
    """What the prompt that it answered ended with. It stays before the reply for the rest of the
    round, so that each prompt extends the one before: endpoints reuse it, trainers need it."""


@dataclass(frozen=True)
class Plan:
    """Move of the planner."""

    sub_questions: tuple[SubQuestion, ...]
    thought: str = ""
    question: str = ""
    """A follow-up written so that it stands alone; empty when the question does."""
    calls: tuple[Call, ...] = ()
    """Made at once as the first step, so that it needs no move of the explorer."""


@dataclass(frozen=True)
class Explore:
    """Move of the explorer: calls to make, or that it is done with this round."""

    calls: tuple[Call, ...] = ()
    thought: str = ""
    done: bool = False
    """It has what it wants of this round; calls beside it are still made."""
    reply: str = ""
    """The model's own text, which its next prompt of this round repeats; empty for rules."""
    asked: str = ""
    """What its prompt ended with; as `reply`."""


@dataclass(frozen=True)
class Finding:
    """A quote the summarizer keeps; the machine locates it and makes it an `Evidence`."""

    ref: PageRef
    quote: str
    """Words of the page."""
    call: str
    score: float
    sub_question: str
    box: tuple[float, float, float, float] | None = None
    """Where it was seen, when known; the machine checks it against the words."""
    kind: Literal["quote", "reading"] = "quote"
    """A reading says what a picture shows; it is kept only for a place that was looked at."""


@dataclass(frozen=True)
class Summary:
    """Move of the summarizer: what to keep of the round before its observations leave."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    reflection: "Reflection | None" = None
    """Of a fused role, which judges in the same model call; the reflector is then not asked."""
    calculations: tuple[str, ...] = ()
    """Expressions over what was kept, to be computed before the observations leave."""


@dataclass(frozen=True)
class Reflection:
    """Move of the reflector."""

    sufficient: bool
    missing: str = ""
    """What is still to be found, in words a search can use."""
    sub_questions: tuple[SubQuestion, ...] = ()
    """All sub-questions with their new states; may add some."""
    contradictions: tuple[str, ...] = ()
    give_up: bool = False
    """No lead is left."""
    thought: str = ""

    def __post_init__(self) -> None:
        """Restore what msgpack turns into lists when a checkpoint is read."""
        as_tuples(self, "sub_questions", "contradictions")


@dataclass(frozen=True)
class Claim:
    """One sentence of the answer and what carries it."""

    text: str
    evidence: tuple[str, ...]
    """Evidence ids: quotes that hold what it says, and the numbers its calculations work on."""
    calculations: tuple[str, ...] = ()
    """Ids of `calculate` calls whose result it states."""
    doubt: str = ""
    """Why it may be wrong although its quote was found; becomes a warning of the answer."""

    def __post_init__(self) -> None:
        """Restore what msgpack turns into lists when a checkpoint is read."""
        as_tuples(self, "evidence", "calculations")


@dataclass(frozen=True)
class Draft:
    """Move of the answerer; the text of the answer is assembled from the claims by code."""

    claims: tuple[Claim, ...] = ()
    unanswerable: bool = False
    reason: str = ""
    """Why it cannot be answered; the machine adds what was searched. Beside claims: what of the
    question they leave open."""

    def __post_init__(self) -> None:
        """Restore what msgpack turns into lists when a checkpoint is read."""
        as_tuples(self, "claims")


@dataclass(frozen=True)
class Verdict:
    """Move of the verifier on one draft."""

    kept: tuple[Claim, ...]
    removed: tuple[tuple[Claim, str], ...] = ()
    """Claims that nothing supports, with the reason."""
    missing: str = ""
    """What to look for if the machine goes back to explore once."""

    def __post_init__(self) -> None:
        """Restore what msgpack turns into lists when a checkpoint is read."""
        as_tuples(self, "kept")
        pairs = tuple((claim, reason) for claim, reason in self.removed)
        object.__setattr__(self, "removed", pairs)


@dataclass(frozen=True)
class Form:
    """Move of the former: the answer as `schema=` asks for it."""

    data: Mapping[str, Any]
    """JSON-able."""


@dataclass
class Meter:
    """What a role's model calls have spent in one move so far; it counts if the move fails, too."""

    usage: Usage = field(default_factory=Usage)

    def add(self, more: Usage) -> None:
        """Count what one attempt of a call spent."""
        self.usage = self.usage.plus(more)

    def over(self, left: Mapping[str, float]) -> str:
        """Name a limit that forbids another call, of what was left at the beginning; or nothing."""
        usage = self.usage
        tokens = usage.input_tokens + usage.output_tokens
        if usage.model_calls >= left.get("model_calls", usage.model_calls + 1):
            return "model calls"
        if tokens >= left.get("tokens", tokens + 1):
            return "tokens"
        return "money" if usage.money > left.get("money", usage.money) else ""


@dataclass(frozen=True)
class Context:
    """What a role sees. The prompt of a model and the input of a rule are made from this alone."""

    question: str
    view: "View"
    """For rules, which look up text by reference; a model sees only the text of observations."""
    history: tuple[Exchange, ...] = ()
    """What was asked and answered before on this thread, oldest first."""
    sub_questions: tuple[SubQuestion, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    """What the explorer said in the steps of the current round."""
    observations: tuple[Observation, ...] = ()
    """Of the current round, in order."""
    calculations: tuple[Observation, ...] = ()
    """Every successful `calculate` call of the run."""
    reflection: Reflection | None = None
    draft: Draft | None = None
    tried: tuple[Call, ...] = ()
    """Every call of the run so far, to avoid repeating one."""
    budget_left: Mapping[str, float] = field(default_factory=dict)
    """What is left of each limit, e.g. {"steps": 7, "tool_calls": 40, "seconds": 55.0}."""
    round_left: Mapping[str, float] = field(default_factory=dict)
    """Steps and characters of observations until the round closes; empty when it is not told."""
    effort: Literal["low", "medium", "high"] = "medium"
    step: int = 0
    round: int = 0
    barren_rounds: int = 0
    """Rounds in a row that brought no new evidence."""
    strategy: int = 0
    """0 at first; 1 after two barren rounds: look in another way than before."""
    nudges: tuple[str, ...] = ()
    """What the machine tells the reasoner, e.g. that the budget is nearly spent."""
    tell: "Callable[[EventType, str, Mapping[str, Any]], None]" = lambda kind, what, body: None
    """Emits an event of this role's step: type, last part of its id, body."""
    meter: Meter = field(default_factory=Meter)
    """Where a role counts what its model calls spend; rules spend nothing."""


MoveT = TypeVar("MoveT", covariant=True)


class Role(Protocol, Generic[MoveT]):
    """One role of a run."""

    async def step(self, context: Context) -> MoveT:
        """Look at the context and answer with the role's move."""
        ...


@dataclass(frozen=True)
class Roles:
    """Who fills each role of one run."""

    planner: Role[Plan]
    explorer: Role[Explore]
    summarizer: Role[Summary]
    reflector: Role[Reflection]
    answerer: Role[Draft]
    verifier: Role[Verdict]
    former: Role[Form] | None = None
    """Who puts the answer into a form; None when none was asked for."""
    reasoner: "Reasoner | None" = None
    """The model that fills them, for graphs that ask it in roles of their own; None for rules."""
