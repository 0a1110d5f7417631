"""Runs of the main machine with a scripted chat model, and the replies of such a model."""

import json
from typing import Any

import pagehop
from pagehop.answers import Answer
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel

QUESTION = "What was the revenue of Halden Marine in 2022?"
REPORT = "Halden_2022_annual_report"
QUOTE = "Revenue rose to 455.9 million crowns"
PLAN = json.dumps({"parts": [{"id": "Q1", "text": QUESTION, "needs": "an amount"}]})
SEARCH = {"content": "Search.", "tool_calls": [
    {"name": "semantic_search", "args": {"query": "Halden Marine revenue 2022"}}
]}  # fmt: skip
FIRST = {"tool": "semantic_search", "arguments": {"query": "Halden Marine revenue 2022"}}
READ = {"content": "Read.", "tool_calls": [{"name": "read_page", "args": {"ref": f"{REPORT}:1"}}]}
DONE = "Found it."


def keep(quote: str = QUOTE, page: int = 1, *, sufficient: bool = True) -> str:
    """Write a condenser's reply with one piece of evidence."""
    return json.dumps({
        "evidence": [{"ref": f"{REPORT}:{page}", "quote": quote, "part": "Q1"}],
        "notes": ["the amounts are in crowns"],
        "parts": [{"id": "Q1", "state": "answered" if sufficient else "open"}],
        "sufficient": sufficient,
    })  # fmt: skip


def claim(text: str = "It was 455.9 million crowns.", evidence: str = "E1") -> str:
    """Write an answerer's reply with one claim."""
    return json.dumps({"claims": [{"text": text, "evidence": [evidence]}]})


def run(view: View, replies: list[Any], **options: Any) -> tuple[Answer, ScriptedModel]:
    """Ask with a scripted model; return the answer and the model with its calls."""
    model = ScriptedModel(replies=replies)
    return pagehop.ask(QUESTION, view, model=model, **{"record": False, **options}), model


def roles_of(model: ScriptedModel) -> list[str]:
    """Name the role of each call by its prompt."""
    names = []
    for call in model.calls:
        first, last = str(call.messages[0].content), str(call.messages[-1].content)
        if "The round ends here" in last:
            names.append("condenser")
        elif first.startswith("You plan"):
            names.append("planner")
        elif first.startswith("You write the answer"):
            names.append("answerer")
        else:
            names.append("explorer")
    return names
