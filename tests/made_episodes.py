"""Episodes made by hand, for tests of what reads them: rewards, exporters, pages.

    tale = Tale("What was revenue?", gold_answers=["455.9"], gold_pages=["acme:2"])
    tale.search("revenue", ["acme:1", "acme:2"])
    tale.read("acme:2")
    episode = tale.end("answered", "It was 455.9.", cited=["acme:2"])

It goes through events and the fold, as a recorded run does. `say` adds a call of a model.
"""

from collections.abc import Sequence
from typing import Any

from pagehop.answers import Answer, Citation, Status, Usage
from pagehop.events import Event, EventType
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.fold import fold
from pagehop.types import Box, PageRef

BOX: Box = (0.1, 0.2, 0.9, 0.3)


class Tale:
    """A run told by hand."""

    def __init__(
        self,
        question: str,
        *,
        episode_id: str = "e1",
        gold_answers: Sequence[str] = (),
        gold_pages: Sequence[str] = (),
        gold_boxes: dict[str, list[Box]] | None = None,
        answerable: bool | None = True,
        **start: Any,
    ) -> None:
        """Begin; `start` goes into the `episode.start` event, e.g. `group_id`."""
        self.events: list[Event] = []
        self.question, self.episode_id, self.step = question, episode_id, 0
        self._clock, self._prompt = 1_000.0, 0
        boxes = gold_boxes or {}
        task = {
            "task_id": "t1",
            "gold_answers": list(gold_answers),
            "gold_pages": [{"page": page, "boxes": boxes.get(page, [])} for page in gold_pages],
            "gold_documents": list(dict.fromkeys(page.partition(":")[0] for page in gold_pages)),
            "answerable": answerable,
        }
        self.tell("episode.start", "start", {"question": question, "task": task, **start})

    def tell(self, kind: EventType, what: str, body: dict[str, Any]) -> None:
        """Add an event."""
        name = f"{self.episode_id}/{self.step}/{what}"
        self._clock += 1
        self.events.append(
            Event(name, kind, body, "run", self.episode_id, ts=self._clock, mono=self._clock)
        )

    def call(
        self,
        tool: str,
        arguments: dict[str, Any],
        artifact: dict[str, Any],
        *,
        text: str = "result",
        ok: bool = True,
        valid: bool = True,
        cached: bool = False,
    ) -> str:
        """Add a tool call, in a step of its own; return its id."""
        self.step += 1
        name = f"s{self.step}c1"
        call = {"id": name, "tool": tool, "arguments": arguments}
        self.tell("node", "explore", {"node": "explore", "step": self.step, "calls": [call]})
        begun = {"call": name, "tool": tool, "arguments": arguments, "step": self.step}
        self.tell("tool.start", f"{name}.start", begun)
        end = {"call": name, "tool": tool, "ok": ok, "valid": valid, "text": text}
        end |= {"artifact": artifact, "cached": cached, "seconds": 0.01}
        self.tell("tool.end", f"{name}.end", end)
        return name

    def search(self, query: str, pages: Sequence[str], **more: Any) -> str:
        """Add a keyword search that found pages, best first."""
        hits = [{"ref": page, "score": 1 / i, "box": BOX} for i, page in enumerate(pages, 1)]
        return self.call("keyword_search", {"query": query}, {"hits": hits}, **more)

    def read(self, page: str, **more: Any) -> str:
        """Add a page read."""
        return self.call("read_page", {"ref": page}, {"ref": page}, **more)

    def look(self, page: str, box: Box, **more: Any) -> str:
        """Add a crop."""
        artifact = {"ref": page, "box": list(box), "width_px": 800, "height_px": 600}
        sides: dict[str, Any] = dict(zip(("x0", "y0", "x1", "y1"), box, strict=True))
        return self.call("look", {"ref": page} | sides, artifact, **more)

    def keep(self, page: str, quote: str, call: str = "s1c1") -> None:
        """Add a quote to the evidence."""
        number = sum(event.type == "evidence" for event in self.events) + 1
        body: dict[str, Any] = {"id": f"E{number}", "ref": page}
        body["document"] = f"{page.partition(':')[0]}.pdf"
        body |= {"quote": quote, "box": list(BOX), "call": call, "score": 1.0, "sub_question": "Q1"}
        self.tell("evidence", f"E{number}", body)

    def say(
        self,
        messages: Sequence[dict[str, Any]],
        text: str,
        *,
        role: str = "explorer",
        same: int = 0,
        tool_calls: Sequence[dict[str, Any]] = (),
        begin: dict[str, Any] | None = None,
        **end: Any,
    ) -> str:
        """Add a call of a model: the messages that its prompt adds after `same` of the last."""
        self._prompt += 1
        name, after = f"llm.{role}.0.{self._prompt}", getattr(self, "_last", "")
        self._last = f"{self.step}/{name}"
        start = {"call": name, "role": role, "step": self.step, "round": 0, "after": after}
        start |= begin or {}
        self.tell("llm.start", f"{name}.start", {**start, "same": same, "messages": list(messages)})
        said = {"text": text, "tool_calls": list(tool_calls), "usage": {"model_calls": 1}}
        self.tell("llm.end", f"{name}.end", {"call": name, "role": role, **said, **end})
        return self._last

    def end(
        self,
        status: Status = "answered",
        text: str = "",
        *,
        cited: Sequence[str | tuple[str, Box]] = (),
        usage: Usage | None = None,
    ) -> Episode:
        """End the run and return its episode; a citation is a page, or a page and a box."""
        citations = []
        for one in cited:
            page, box = (one, BOX) if isinstance(one, str) else one
            ref = PageRef.parse(page)
            citations.append(
                Citation(f"{ref.name}.pdf", ref.name, ref.page, box, "words", verified=True)
            )
        answer = Answer(self.question, text, status, tuple(citations), usage or Usage())
        body = {"status": status, "answer": answer.to_json(), "question": self.question}
        self.tell("episode.end", "end", body)
        return self.episode()

    def episode(self) -> Episode:
        """Return the episode as far as it was told."""
        return fold(self.events)
