"""`pagehop chat`: a line a question, on one thread; what goes wrong ends one question only."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pagehop.answers import Answer
from pagehop.events import Event
from pagehop.interfaces import cli_chat, terminal
from pagehop.interfaces.cli import app
from pagehop.library.library import Library
from pagehop.types import PageSource

FIRST = "What was the capital expenditure of Halden Marine in 2021?"


def talk(library: Library, *lines: str) -> Result:
    typed = "".join(f"{line}\n" for line in lines)
    return CliRunner().invoke(app, ["chat", str(library.path)], input=typed)


def test_each_line_is_answered_and_a_follow_up_understood(library: Library) -> None:
    talked = talk(library, FIRST, "And in 2020?")
    assert talked.exit_code == 0
    assert "4 documents" in talked.stderr
    assert talked.stdout.count("page ") >= 2
    assert "What was the capital expenditure of Halden Marine in 2020?" in talked.stderr


def test_an_empty_line_ends_the_conversation(library: Library) -> None:
    talked = talk(library, "", FIRST)
    assert talked.exit_code == 0 and "answered" not in talked.stdout


def test_a_question_that_is_refused_does_not_end_the_conversation(library: Library) -> None:
    talked = talk(library, "x" * 200_000, FIRST)
    assert talked.exit_code == 0
    assert "Error:" in talked.stderr and "answered" in talked.stdout


def test_ctrl_c_ends_the_run_in_hand_and_keeps_the_conversation(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[bool] = []

    def interrupted(events: Iterable[Event], pictures: PageSource, *, show: bool) -> Answer:
        runs.append(True)
        if len(runs) == 1:
            raise KeyboardInterrupt
        return terminal.follow(events, pictures, show=show)

    monkeypatch.setattr(cli_chat, "follow", interrupted)
    talked = talk(library, FIRST, FIRST)
    assert talked.exit_code == 0
    assert "Stopped" in talked.stderr and "answered" in talked.stdout


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    talked = CliRunner().invoke(app, ["chat", str(tmp_path / "none")], input=f"{FIRST}\n")
    assert talked.exit_code == 2 and "does not exist" in talked.stderr
