"""What a long run still knows: evidence of an early step is cited right at the end."""

import json
import re
from typing import Any

from langchain_core.messages import BaseMessage

import pagehop
from pagehop.graphs.budget import Budget
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel

QUESTION = "What was the revenue of Halden Marine in 2022?"
EARLY, QUOTE = "Halden_2022_annual_report:1", "Revenue rose to 455.9 million crowns"
STEPS = 50


class Reader:
    """A model that reads a page a step, keeps a quote a round, and answers from the first one."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.explored: list[str] = []
        """Prompts of the explorer, without the system's."""

    def __call__(self, messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        first, last = str(messages[0].content), str(messages[-1].content)
        if first.startswith("You plan"):
            return json.dumps({"parts": [{"id": "Q1", "text": QUESTION}]})
        if first.startswith("You write the answer"):
            assert f"E1 [{EARLY}] for Q1: {QUOTE}" in str(messages[1].content)
            claim = {"text": "It was 455.9 million crowns.", "evidence": ["E1"]}
            return json.dumps({"claims": [claim]})
        if "The round ends here" in last:
            return self.kept(len(self.explored))
        self.explored.append("\n".join(str(message.content) for message in messages[1:]))
        number = re.match(r"Step (\d+)\.", last)
        assert number is not None
        step = int(number[1])
        call = {"name": "read_page", "args": {"ref": EARLY if step == 3 else self.page(step)}}
        if step % 2:
            return {"content": "Read.", "tool_calls": [call]}
        search = {"name": "keyword_search", "args": {"query": f"crowns {step}"}}
        return {"content": "Search and read.", "tool_calls": [search, call]}

    def page(self, step: int) -> str:
        """Name the page that a step reads."""
        names = [document.name for document in self.view.documents()]
        return f"{names[step % len(names)]}:{1 + step // len(names) % 4}"

    def kept(self, step: int) -> str:
        """Keep the early quote first, then words of the page read last, others each time."""
        if step <= 4:
            evidence = [{"ref": EARLY, "quote": QUOTE, "part": "Q1"}]
        else:
            ref = self.page(step)
            words = self.view.page(pagehop.PageRef.parse(ref)).text.split()
            start = step % 7
            quote = " ".join(words[start : start + 25])
            evidence = [{"ref": ref, "quote": quote, "part": "Q1"}]
        parts = [{"id": "Q1", "state": "open"}]
        return json.dumps({"evidence": evidence, "notes": [f"step {step} done"], "parts": parts})


def test_evidence_of_step_3_is_cited_right_at_step_50_and_prompts_stay_small(view: View) -> None:
    reader = Reader(view)
    answer = pagehop.ask(
        QUESTION,
        view,
        model=ScriptedModel(replies=reader),
        budget=Budget(steps=STEPS, tool_calls=None, seconds=None),
        record=False,
    )
    assert answer.usage.steps == len(reader.explored) == STEPS
    (citation,) = answer.citations
    assert (f"{citation.name}:{citation.page}", citation.verified) == (EARLY, True)
    assert QUOTE in citation.quote
    # What the tools gave in the round differs from round to round; what is known is bounded.
    assert len(reader.explored[-1]) < 12_000
    assert "step 4 done" in reader.explored[8]
