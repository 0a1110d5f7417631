"""What a run's events mean to a reader: the fold that the terminal and the chat share.

1. `Narrator.add(event)` takes one event and gives the line to show for it, or None.
2. A tool call is one line, made when it ends: what was asked, which pages came back.
3. Token deltas and the bookkeeping of nodes give no line.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pagehop.events import Event

LineKind = Literal["plan", "call", "evidence", "reflect", "check", "note", "error"]

_SHOWN_REFS = 4
_SHOWN_WORDS = 160
"""Characters of a quote or an argument in one line."""


@dataclass(frozen=True)
class Line:
    """One line for a reader, with the lines below it."""

    kind: LineKind
    title: str
    details: tuple[str, ...] = ()
    ok: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return what the chat sends to the browser."""
        return {
            "kind": self.kind,
            "title": self.title,
            "details": list(self.details),
            "ok": self.ok,
        }


class Narrator:
    """Fold of one run's events into lines."""

    def __init__(self) -> None:
        self._asked: dict[str, str] = {}

    def add(self, event: Event) -> Line | None:
        """Take the next event; give its line, or None when it has none."""
        body = event.body
        match event.type:
            case "tool.start":
                self._asked[str(body.get("call"))] = call_words(body)
                return None
            case "tool.end":
                return self._call(body)
            case "node":
                return _node(body)
            case "evidence":
                where = f"{body.get('id', '')} {body.get('ref', '')}".strip()
                return Line("evidence", f"{where}: “{shorten(str(body.get('quote', '')))}”")
            case "note":
                return Line("note", shorten(str(body.get("text", ""))))
            case "error" if "call" not in body:  # a failed call ends with a tool.end of its own
                words = f"{body.get('where', 'run')}: {body.get('error', '')}"
                return Line("error", words, ok=False)
            case _:
                return None

    def _call(self, body: Mapping[str, Any]) -> Line:
        title = self._asked.pop(str(body.get("call")), str(body.get("tool", "tool")))
        if not body.get("ok", True):
            return Line("call", title, (shorten(str(body.get("text", ""))),), ok=False)
        found = "(asked before) " if body.get("cached") else ""
        found += call_result(body)
        return Line("call", title, (f"→ {found}",) if found else ())


def call_words(body: Mapping[str, Any]) -> str:
    """Write a call as a person would: the tool, then its arguments that are set."""
    arguments = {k: v for k, v in body.get("arguments", {}).items() if v not in ("", None)}
    if not arguments:
        return str(body.get("tool"))
    written = ", ".join(f"{name}={shorten(str(value), 80)}" for name, value in arguments.items())
    return f"{body.get('tool')}({written})"


def call_result(body: Mapping[str, Any]) -> str:
    """Say in one line what a successful call brought."""
    artifact = body.get("artifact") or {}
    if "value" in artifact:
        return f"{artifact['value']}"
    if "verified" in artifact:
        return "found on the page" if artifact["verified"] else "not on the page"
    if "width_px" in artifact:
        return _picture(artifact)
    refs = list(dict.fromkeys(_refs(artifact)))
    if refs:
        more = f" and {len(refs) - _SHOWN_REFS} more" if len(refs) > _SHOWN_REFS else ""
        return ", ".join(refs[:_SHOWN_REFS]) + more
    lines = str(body.get("text", "")).strip().splitlines()
    return shorten(lines[0]) if lines else "nothing"


def _picture(artifact: Mapping[str, Any]) -> str:
    """Say which picture was shown, and what another model read in it."""
    size = f"{artifact['width_px']} x {artifact['height_px']} pixels"
    if "sheet" in artifact:
        count = len(artifact["sheet"])
        return f"{count} thumbnail{'s' if count != 1 else ''}, {size}"
    box = ", ".join(f"{float(side):.2g}" for side in artifact["box"])
    shown = f"{artifact['ref']}, box {box}, {size}"
    return f"{shown}: {shorten(str(artifact['reading']))}" if "reading" in artifact else shown


def shorten(words: str, limit: int = _SHOWN_WORDS) -> str:
    """Put words on one line of at most `limit` characters, without control characters."""
    line = "".join(c if c.isprintable() else " " for c in words)
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 2].rstrip() + " …"


def _refs(artifact: Mapping[str, Any]) -> Iterator[str]:
    for hit in artifact.get("hits", ()):
        yield str(hit["ref"])
    for path in artifact.get("paths", ()):
        yield str(path["refs"][-1])
    yield from map(str, artifact.get("refs", ()))
    if "ref" in artifact:
        yield str(artifact["ref"])


def _node(body: Mapping[str, Any]) -> Line | None:
    if body.get("overran"):
        return Line("note", f"{body.get('node')} ran out of time", ok=False)
    match body.get("node"):
        case "plan":
            details = tuple(_sub_questions(body.get("sub_questions", ())))
            return Line("plan", shorten(body.get("thought") or "sub-questions"), details)
        case "reflect":
            return Line(
                "reflect", _reflection(body), tuple(map(str, body.get("contradictions", ())))
            )
        case "verify":
            return _verdict(body)
        case "explore" | "think" if body.get("thought"):
            return Line("note", shorten(str(body["thought"])))
        case _:
            return None


def _sub_questions(items: Sequence[Any]) -> Iterator[str]:
    for item in items:
        if isinstance(item, Mapping):
            name = f"{item.get('id', '')} " if item.get("id") else ""
            yield f"{name}{item.get('text', '')}"
        else:
            yield str(item)


def _reflection(body: Mapping[str, Any]) -> str:
    if body.get("sufficient"):
        return "enough to answer"
    missing = str(body.get("missing", ""))
    if body.get("give_up"):
        return f"no lead left; missing: {missing}" if missing else "no lead left"
    return f"still missing: {missing}" if missing else "not enough yet"


def _verdict(body: Mapping[str, Any]) -> Line | None:
    removed = tuple(
        f"{shorten(str(claim.get('text', '')))}: {reason}"
        for claim, reason in body.get("removed", ())
    )
    if not removed:
        return None
    count = f"{len(removed)} claim{'' if len(removed) == 1 else 's'}"
    return Line("check", f"{count} removed: nothing supports it", removed, ok=False)
