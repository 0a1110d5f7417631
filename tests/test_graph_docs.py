"""docs/GRAPHS.md, the example and the shipped files say what the code does."""

import ast
import os
import re
from pathlib import Path
from typing import Any

import pytest

import pagehop
from pagehop.errors import ConfigError
from pagehop.graphs import Flow, Graph, Step
from pagehop.graphs.diagram import diagram
from pagehop.graphs.registry import PUBLISHED, find_graph
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from test_graphs import QUESTION, asked, bodies, claims, nodes, run

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs" / "GRAPHS.md"
EXAMPLE = ROOT / "examples" / "own_graph.py"
OWN = f"{EXAMPLE}:Follow"
LONGEST = 80
"""Lines of a published system."""


def shown(name: str, text: str) -> str:
    """Put a diagram or the example in its place in the docs."""
    said = DOCS.read_text(encoding="utf-8")
    if name == "python":
        start = said.index("## Writing your own")
        pattern = re.compile(r"```python\n.*?```", re.DOTALL)
    else:
        start = said.index(f"\n### {name}\n")
        pattern = re.compile(r"```mermaid\n.*?```", re.DOTALL)
    fence = "python" if name == "python" else "mermaid"
    found = pattern.search(said, start)
    assert found is not None
    wanted = f"```{fence}\n{text.rstrip()}\n```"
    if os.environ.get("PAGEHOP_UPDATE_SNAPSHOTS") == "1":
        DOCS.write_text(said[: found.start()] + wanted + said[found.end() :], encoding="utf-8")
        return wanted
    return found[0]


@pytest.mark.parametrize("name", ["explore", *(n for n in PUBLISHED if n != "m3docrag_closed")])
def test_the_diagrams_are_those_of_the_compiled_graphs(view: View, name: str) -> None:
    model = ScriptedModel(replies=[])
    drawn = diagram(pagehop.graph(name, view, model=model, record=False))
    assert shown(name, drawn) == f"```mermaid\n{drawn}\n```", "run with PAGEHOP_UPDATE_SNAPSHOTS=1"


def test_the_table_names_every_graph_with_its_source_and_needs() -> None:
    rows = {
        row.split("|")[1].strip(): row
        for row in DOCS.read_text(encoding="utf-8").splitlines()
        if row.startswith("| `")
    }
    for graph in pagehop.list_graphs():
        (row,) = [row for names, row in rows.items() if f"`{graph.name}`" in names]
        shape, source, needs = (cell.strip() for cell in row.split("|")[2:5])
        assert shape == graph.shape
        assert source.startswith(graph.source.split(" (")[0])
        assert needs == (", ".join(graph.needs) or "nothing")


def test_every_published_system_is_one_short_file() -> None:
    for path in (ROOT / "graphs" / "published").glob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= LONGEST, path.name
        if path.name != "__init__.py":
            said = ast.get_docstring(ast.parse("\n".join(lines))) or ""
            assert "Source:" in said and "differs:" in said, path.name


def test_the_example_is_the_one_that_is_documented() -> None:
    code = EXAMPLE.read_text(encoding="utf-8")
    assert len(code.splitlines()) < 60
    assert shown("python", code) == f"```python\n{code.rstrip()}\n```"


def test_a_graph_of_ones_own_runs_by_rules(view: View) -> None:
    answer, events, _ = run(view, OWN)
    assert nodes(events)[1:4] == ["search", "follow", "answer"]
    assert answer.status == "answered" and answer.citations[0].verified
    called = [body["tool"] for body in bodies(events, "tool.start")]
    assert "walk" in called and called.count("read_page") > 2, "it reads what a page refers to"


def test_a_graph_of_ones_own_asks_its_model_in_roles_of_its_own(view: View) -> None:
    replies = ['{"missing": "revenue of Halden Marine 2022"}', '{"missing": ""}', claims()]
    answer, events, model = run(view, find_graph(OWN), replies)
    assert asked(events) == ["doubter", "doubter", "reader"]
    assert nodes(events)[1:8] == ["search", "follow", "doubt"] * 2 + ["answer"]
    assert str(model.calls[0].messages[0].content).startswith("You see a question and pages.")
    assert answer.status == "answered"


class Made(Graph):
    """A graph of one node."""

    name = "made"
    works: Any = None
    targets = ("answer",)

    def draw(self, flow: Flow) -> None:
        flow.add(type(self).works, to=self.targets, name="work")


def made(works: Any, *targets: str, **more: Any) -> Graph:
    named = {"works": staticmethod(works), "targets": targets or ("answer",), **more}
    kind: Any = type("Made", (Made,), named)
    return kind()  # type: ignore[no-any-return]


async def nothing(step: Step) -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (made(nothing, "nowhere"), "goes to 'nowhere', which is none of work, answer"),
        (made(nothing, name=""), "Made has no name"),
        (made(nothing, draw=lambda self, flow: None), "adds no node"),
        (made(nothing, draw=lambda self, flow: flow.add(nothing, to=[])), "goes nowhere"),
        (
            made(nothing, draw=lambda self, flow: flow.add(nothing, to=["answer"], name="verify")),
            "adds 'verify' twice",
        ),
    ],
)
def test_a_graph_that_cannot_be_built_is_refused(view: View, graph: Graph, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        pagehop.ask(QUESTION, view, graph=graph, record=False)


async def strays(step: Step) -> str:
    """Name a node that it may not go to."""
    return "elsewhere"


async def keeps_a_set(step: Step) -> None:
    """Keep what no checkpoint could hold."""
    step.memo["pages"] = {1, 2}


async def breaks(step: Step) -> None:
    """Raise."""
    raise KeyError("lost")


async def drafts_nothing(self: Graph, step: Step) -> None:
    """Make no draft."""


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (made(strays), "went to 'elsewhere'; its targets are answer"),
        (made(keeps_a_set), "memo of graph 'made' is not JSON"),
        (made(breaks), "work: KeyError: 'lost'"),
        (made(nothing, answer=drafts_nothing), "made no draft"),
    ],
)
def test_a_node_that_goes_wrong_ends_the_run_as_failed(
    view: View, graph: Graph, words: str
) -> None:
    answer, events, _ = run(view, graph)
    assert answer.status == "failed" and words in answer.error
    assert events[-1].type == "episode.end"
