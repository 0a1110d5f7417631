"""Read what a model replied: native tool calls, a JSON object or tags, whichever it used.

One parser for all three grammars, because models slip from one into another. It never guesses a
tool or an argument; what it cannot read is a `problem`, told to the model with a right example. Of
a reply that was cut off, what is whole counts: no call is made with arguments that miss their end.

1. Native tool calls count first, then tags, then a JSON object (fenced or inside other text).
2. Tags are those of the RL systems: `<search>`, `<bbox>` (or `<region>`), `<fetch>`, `<answer>`,
   and `<call>` or `<tool_call>` with a JSON object. The first action counts, as in their trainers;
   several calls in one turn count all.
3. A box is in the pixels of the picture shown last, or in fractions of it where no number is above
   1; it becomes fractions of the page here, through the box that this picture itself shows, so
   zooming into a crop, or into one page of many, lands where it was meant. Other units, such as
   thousandths, cannot be told from pixels: a box beyond the picture is answered with its size.
4. Lists in arguments become comma-separated strings: tools take flat strings and numbers.

Source: VRAG-RL (Alibaba-NLP/VRAG) and ALDEN (gipplab/ALDEN); differs: nested crops keep their
frame, text outside tags is kept as the thought.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.utils.json import parse_json_markdown

from pagehop.agents.moves import Call, Observation
from pagehop.tools.contact_sheet import read_sheet
from pagehop.types import Box

_TAG = re.compile(
    r"<(search|bbox|region|fetch|answer|call|tool_call|think|thinking)>(.*?)(?:</\1>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_THINK = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_OVER = 1.05
"""A box may reach so far beyond its picture: models round, and theirs may have been scaled."""
_FINISH = frozenset({"done", "finish", "final_answer", "answer"})
"""Names that models give to a call which says that they are done."""
_ENDINGS = ("finish_reason", "stop_reason", "done_reason", "status")
"""Where clients of different providers say why a reply ended."""
_KEPT = frozenset({"evidence", "sufficient", "give_up"})
"""Names by which the object that ends a round is known."""


_DECODER = json.JSONDecoder(strict=False)
CUT = (
    "The reply was cut off at its limit before it called a tool or said that it is done; nothing "
    "in it was run. Be brief."
)


@dataclass(frozen=True)
class Reply:
    """What one reply of a reasoner asks for."""

    thought: str = ""
    calls: tuple[Call, ...] = ()
    done: bool = False
    problem: str = ""
    """What is wrong with it, in words for the model; empty when it can be followed."""


def was_cut(message: AIMessage) -> bool:
    """Tell whether a reply ended at its limit of tokens."""
    said = message.response_metadata
    reasons = {str(said.get(key)).lower() for key in _ENDINGS}
    return bool(reasons & {"length", "max_tokens", "model_length", "incomplete"})


def text_of(message: AIMessage) -> str:
    """Return the text of a reply without its reasoning blocks."""
    if isinstance(message.content, str):
        return message.content
    parts = [
        block if isinstance(block, str) else str(block.get("text", ""))
        for block in message.content
        if isinstance(block, str) or block.get("type") in ("text", "output_text")
    ]
    return "".join(parts)


def read_reply(message: AIMessage, shown: Sequence[Observation] = ()) -> Reply:
    """Return what a reply asks for.

    Args:
        message: Of the model.
        shown: Observations that the model has seen, for boxes in pixels.
    """
    text = text_of(message)
    if message.tool_calls or message.invalid_tool_calls:
        return _native(message, _without_thoughts(text))
    if not text.strip():
        return Reply(problem="The reply was empty.")
    if read_kept(text) is not None:
        return Reply(done=True)
    found = list(_TAG.finditer(text))
    tags = [(one[1].lower(), one[2].strip()) for one in found]
    thought = " ".join(body for name, body in tags if name in ("think", "thinking"))
    cut = was_cut(message)
    if cut and found and not found[-1][0].lower().endswith(f"</{tags[-1][0]}>"):
        tags.pop()
    actions = [(name, body) for name, body in tags if name not in ("think", "thinking")]
    if actions:
        return _tagged(thought, actions, shown)
    outside = "" if found and cut else _without_thoughts(text)
    if (value := read_json(outside) or read_cut(outside)) is not None:
        reply = _json_actions(value, thought)
        return Reply(thought, problem=CUT) if cut and reply.problem else reply
    if cut:
        return Reply(thought, problem=CUT)
    if "{" in outside and re.search(r'"(calls?|tool|done|arguments)"', outside):
        return Reply(thought, problem="The JSON of the reply is broken or was cut off.")
    return Reply(thought=outside.strip() or thought, done=True)


def read_kept(text: str) -> dict[str, Any] | None:
    """Return the object that ends a round, when a reply is one."""
    value = read_json(text) or read_cut(text)
    if value is None or value.get("calls") or "tool" in value:
        return None
    return value if _KEPT & value.keys() else None


def read_calls(value: object) -> tuple[Call, ...]:
    """Return the calls of a list that can be read; the others are left out."""
    read = map(_call, value if isinstance(value, list) else [])
    return tuple(call for call in read if isinstance(call, Call))


def read_json(text: str) -> dict[str, Any] | None:
    """Return the JSON object in a text, fenced or bare; None when there is no whole one."""
    text = _without_thoughts(text)
    first, last = text.find("{"), text.rfind("}")
    if first < 0 or last < first:
        return None
    whole = _outermost(text[first:])
    tries = ((json.loads, text[first : last + 1]), (json.loads, whole), (_lenient, whole))
    for read, candidate in tries:
        try:
            value = read(candidate)
        except (ValueError, TypeError, IndexError, RecursionError):
            continue
        if isinstance(value, dict) and value:
            return value
    return None


def _lenient(text: str) -> object:
    # Mends raw newlines in strings and the like. It also closes what is open, so that it is given
    # balanced objects only: it must not invent an end.
    return parse_json_markdown(text)


def read_cut(text: str) -> dict[str, Any] | None:
    """Return what is whole of an object that was cut off: its members, and items of its last list.

    An item that misses its end is left out, however much of it there is. None when the object is
    closed (then it is broken, not cut off) or has nothing whole.
    """
    text = _without_thoughts(text)
    first = text.find("{")
    if first < 0 or _outermost(text[first:]):
        return None
    found: dict[str, Any] = {}
    at = first + 1
    while (key := _whole(text, at)) is not None and isinstance(key[0], str):
        colon = _past_space(text, key[1])
        if text[colon : colon + 1] != ":":
            break
        member = _whole(text, colon + 1)
        if member is None:
            if items := _whole_items(text, colon + 1):
                found[key[0]] = items
            break
        found[key[0]], at = member
        at = _past_space(text, at) + 1  # past the comma
    return found or None


def _whole_items(text: str, at: int) -> list[Any]:
    """Return the whole items of a list that was cut off; none when there is no list."""
    at = _past_space(text, at)
    items = []
    if text[at : at + 1] == "[":
        while (item := _whole(text, at + 1)) is not None:
            items.append(item[0])
            at = _past_space(text, item[1])  # past the comma
    return items


def _past_space(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at


def _whole(text: str, at: int) -> tuple[Any, int] | None:
    """Return the JSON value at a place and where it ends; None when it misses its end."""
    at = _past_space(text, at)
    try:
        value, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None
    # A number at the end of the text may have had more digits.
    return None if end == len(text) and text[at] not in '"[{' else (value, end)


def _outermost(text: str) -> str:
    """Return the first balanced object of a text that begins with a brace."""
    depth, inside, escaped = 0, False, False
    for i, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            inside = not inside
        elif not inside and char in "{}":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return text[: i + 1]
    return ""


def _without_thoughts(text: str) -> str:
    return _THINK.sub("", text).strip()


def _native(message: AIMessage, thought: str) -> Reply:
    calls, problems = [], []
    for asked in message.tool_calls:
        if asked["name"].lower() in _FINISH:
            return Reply(thought or str(asked["args"]), done=True)
        calls.append(Call(_tool_name(asked["name"]), _flat(asked["args"])))
    for broken in message.invalid_tool_calls:
        problems.append(
            f"Nothing was run. The arguments of {broken.get('name') or 'a call'} are not a JSON "
            f"object: {str(broken.get('args'))[:200]!r}."
        )
    return Reply(thought, tuple(calls), problem=" ".join(problems))


def _json_actions(value: Mapping[str, Any], thought: str) -> Reply:
    thought = str(value.get("thought") or value.get("reasoning") or thought)
    asked = value.get("calls", value.get("tool_calls", value.get("actions")))
    if isinstance(asked, Mapping):
        asked = [asked]
    if asked is None and any(key in value for key in ("tool", "name", "action", "function")):
        asked = [value]
    if not asked:
        if value.get("done") or "answer" in value or "final_answer" in value:
            said = value.get("answer") or value.get("final_answer") or ""
            return Reply(thought or str(said), done=True)
        return Reply(
            thought, problem='The object has neither "calls" with a tool in it nor "done": true.'
        )
    calls: list[Call] = []
    for one in asked if isinstance(asked, list) else [asked]:
        call = _call(one)
        if isinstance(call, str):
            return Reply(thought, problem=call)
        if call.tool in _FINISH:
            return Reply(thought, tuple(calls), done=True)
        calls.append(call)
    return Reply(thought, tuple(calls), done=bool(value.get("done")) and not calls)


def _call(value: object) -> Call | str:
    """Return the call that an object writes, or what is wrong with it."""
    if not isinstance(value, Mapping):
        return f"A call is an object with tool and arguments, not {str(value)[:80]!r}."
    inner = value.get("function")
    if isinstance(inner, Mapping):
        value = inner
    name = value.get("tool") or value.get("name") or value.get("action") or inner
    if not isinstance(name, str) or not name:
        return 'A call needs the name of its tool: {"tool": "...", "arguments": {...}}.'
    arguments = value.get("arguments", value.get("args", value.get("parameters")))
    if arguments is None:
        known = ("tool", "name", "action", "thought", "id", "type", "calls", "done", "function")
        arguments = {key: given for key, given in value.items() if key not in known}
    if isinstance(arguments, str):
        arguments = read_json(arguments)
    if not isinstance(arguments, Mapping):
        return f"The arguments of {name} are not a JSON object."
    return Call(_tool_name(name), _flat(arguments))


def _tagged(
    thought: str, actions: Sequence[tuple[str, str]], shown: Sequence[Observation]
) -> Reply:
    calls: list[Call] = []
    for name, body in actions:
        if name == "answer":
            return Reply(thought or body, tuple(calls), done=not calls)
        call = _tag_call(name, body, shown)
        if isinstance(call, str):
            return Reply(thought, tuple(calls), problem="" if calls else call)
        calls.append(call)
        if name not in ("call", "tool_call"):
            break
    return Reply(thought, tuple(calls))


def _tag_call(name: str, body: str, shown: Sequence[Observation]) -> Call | str:
    if name == "search":
        return Call("semantic_search", {"query": body}) if body else "<search> is empty."
    if name == "fetch":
        form, _, ref = body.partition(",")
        if not ref:
            form, ref = "text", body
        return Call("read_page", {"ref": ref.strip(), "form": form.strip().lower() or "text"})
    if name in ("bbox", "region"):
        return _zoom(body, shown)
    value = read_json(body)
    return _call(value) if value is not None else f"<{name}> holds no JSON object."


def _zoom(body: str, shown: Sequence[Observation]) -> Call | str:
    """Return the look at a box given in pixels of the picture shown last."""
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", body)]
    if len(numbers) != 4:
        return "<bbox> needs four numbers: [x0, y0, x1, y1]."
    pictures = [o.artifact for o in shown if o.artifact.get("width_px")]
    if not pictures:
        return "There is no picture to zoom into: first show a page as a picture."
    last = pictures[-1]
    width, height = float(last["width_px"]), float(last["height_px"])
    if max(numbers) <= 1:  # less than one pixel: fractions of the picture
        numbers = [
            n * size for n, size in zip(numbers, (width, height, width, height), strict=True)
        ]
    left, top, right, foot = numbers
    if max(left, right) > _OVER * width or max(top, foot) > _OVER * height:
        return (
            f"The box [{body.strip(' []')}] reaches beyond the picture shown last, which has "
            f"{width:.0f} x {height:.0f} pixels: give x0, y0, x1, y1 in these."
        )
    if "sheet" in last:
        found = read_sheet(last).on_page((left, top, right, foot))
        if found is None:
            return "The middle of the box lies on none of the thumbnails: give a box on one page."
        ref, box = str(found[0]), found[1]
    else:
        ref, box = str(last["ref"]), _inside(last["box"], numbers, width, height)
    return Call("look", {"ref": ref} | _sides(box))


def _inside(of: Sequence[float], box_px: Sequence[float], width: float, height: float) -> Box:
    """Return a box given in pixels of a picture that shows a part of a page, as one of the page."""
    x0, y0, x1, y1 = of
    sizes = (width, height, width, height)
    left, top, right, foot = (
        min(max(n / size, 0.0), 1.0) for n, size in zip(box_px, sizes, strict=True)
    )
    across, down = x1 - x0, y1 - y0
    return x0 + left * across, y0 + top * down, x0 + right * across, y0 + foot * down


def _sides(box: Box) -> dict[str, float]:
    return {name: round(v, 5) for name, v in zip(("x0", "y0", "x1", "y1"), box, strict=True)}


def _tool_name(name: str) -> str:
    return name.strip().rpartition(".")[2].replace("-", "_")


def _flat(arguments: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in arguments.items():
        if isinstance(value, list) and all(isinstance(v, str | int | float) for v in value):
            flat[name] = ",".join(str(v) for v in value)
        elif value is not None:
            flat[name] = value
    return flat
