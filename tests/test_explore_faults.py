"""The main machine when a tool hangs or breaks, a call is malformed, a role raises."""

import time

import pytest
from langchain_core.tools import tool

from pagehop.agents.moves import (
    Call,
    Context,
    Explore,
    Reflection,
    Summary,
)
from pagehop.errors import ToolError
from pagehop.library.view import View
from small_roles import (
    REPORT,
    bodies,
    calls,
    read,
    roles,
    run,
    seen_by,
)


async def test_a_hanging_tool_is_an_observation_with_a_way_out(view: View) -> None:
    @tool
    def stuck(word: str) -> str:
        """Never come back within the test."""
        time.sleep(60)
        return word

    given = roles(explorer=calls(Call("stuck", {"word": "x"}), read()))
    answer, events = await run(view, given, tools=[stuck], tool_timeout_s=0.2)
    (observed,) = [o for o in seen_by(given.summarizer)[0].observations if not o.ok]
    assert "given up" in observed.text and "another tool" in observed.text
    assert bodies(events, "error")[0]["error"] == "timeout after 0.2 s"
    assert answer.status == "answered"
    assert answer.warnings == ("A tool call failed: stuck: timeout after 0.2 s",)


async def test_a_tool_that_broke_is_run_again_whenever_it_is_asked_for_again(view: View) -> None:
    """A timeout was kept as the result, though its message said to try again."""
    ran: list[str] = []

    @tool
    def shaky(word: str) -> str:
        """Break twice."""
        ran.append(word)
        if len(ran) < 3:
            raise RuntimeError("not yet")
        return f"found {word}"

    given = roles(
        explorer=lambda context: Explore(
            (Call("shaky", {"word": "x"}), read()), done=context.step == 4
        ),
        reflector=lambda context: Reflection(sufficient=True),
    )
    answer, events = await run(view, given, tools=[shaky])
    ends = [body for body in bodies(events, "tool.end") if body["tool"] == "shaky"]
    assert [end["ok"] for end in ends] == [False, False, True, True]
    assert [end["cached"] for end in ends] == [False, False, False, True]
    assert ran == ["x", "x", "x"]
    assert answer.usage.tool_calls == 4


async def test_a_tool_error_is_an_observation(view: View) -> None:
    @tool
    def picky(word: str) -> str:
        """Refuse."""
        raise ToolError("write the word in capitals")

    given = roles(explorer=calls(Call("picky", {"word": "x"}), read()))
    answer, events = await run(view, given, tools=[picky])
    (observed,) = [o for o in seen_by(given.summarizer)[0].observations if not o.ok]
    assert observed.text == "write the word in capitals"
    assert not bodies(events, "error") and answer.status == "answered"


async def test_a_tool_that_breaks_is_an_error_event_and_an_observation(view: View) -> None:
    @tool
    def broken(word: str) -> str:
        """Divide by zero."""
        return str(1 / 0)

    given = roles(explorer=calls(Call("broken", {"word": "x"}), read()))
    answer, events = await run(view, given, tools=[broken])
    (observed,) = [o for o in seen_by(given.summarizer)[0].observations if not o.ok]
    assert "ZeroDivisionError" in observed.text and "division by zero" not in observed.text
    (error,) = bodies(events, "error")
    assert error == {
        "where": "broken", "call": "s1c1", "error": "ZeroDivisionError: division by zero",
    }  # fmt: skip
    assert answer.status == "answered" and "broken" in answer.warnings[0]


async def test_a_run_whose_tools_all_broke_failed_and_says_nothing_of_the_documents(
    view: View,
) -> None:
    @tool
    def broken(word: str) -> str:
        """Divide by zero."""
        return str(1 / 0)

    given = roles(explorer=calls(Call("broken", {"word": "x"})), summarizer=lambda c: Summary())
    answer, _ = await run(view, given, tools=[broken])
    assert (answer.status, answer.text) == ("failed", "")
    assert answer.error.endswith("broken: ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (Call("serch", {"query": "x"}), ["no tool 'serch'", "semantic_search"]),
        (Call("read_page", {"page": 3}), ["page", "ref"]),
        (Call("read_page", {}), ["ref", "required"]),
        (Call("semantic_search", {"query": "x", "k": "many"}), ["k", "integer"]),
        (Call("read_page", {"ref": "nothing:1"}), ["nothing", "Halden"]),
        (Call("read_page", {"ref": f"{REPORT}:41"}), ["page 41 does not exist", "4 pages"]),
    ],
)
async def test_a_malformed_call_is_answered_with_what_is_right(
    view: View, call: Call, words: list[str]
) -> None:
    given = roles(explorer=calls(call, read()))
    answer, events = await run(view, given)
    observed = seen_by(given.summarizer)[0].observations[0]
    assert not observed.ok
    assert all(word in observed.text for word in words), observed.text
    assert answer.status == "answered" and not bodies(events, "error")


@pytest.mark.parametrize(
    "name", ["planner", "explorer", "summarizer", "reflector", "answerer", "verifier"]
)
async def test_a_role_that_raises_ends_the_run_as_failed(view: View, name: str) -> None:
    def crash(context: Context) -> None:
        raise ValueError("the role is broken")

    answer, events = await run(view, roles(**{name: crash}))
    assert (answer.status, answer.text, answer.citations) == ("failed", "", ())
    assert answer.error.endswith("ValueError: the role is broken")
    (error,) = bodies(events, "error")
    assert error["error"] == "ValueError: the role is broken" and "crash" in error["trace"]
    assert [event.type for event in events[-2:]] == ["error", "episode.end"]


async def test_a_role_that_answers_with_another_move_ends_the_run_as_failed(view: View) -> None:
    answer, _ = await run(view, roles(planner=lambda context: Summary()))
    assert answer.error == "plan: TypeError: the role gave Summary, not Plan"
