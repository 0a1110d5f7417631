"""Pages of recorded runs: everything is there, nothing of a document is markup."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

import pagehop
from made_episodes import Tale
from pagehop.errors import LibraryError
from pagehop.interfaces.cli import app
from pagehop.interfaces.episode_page import episode_page
from pagehop.interfaces.page_parts import Pictures
from pagehop.interfaces.run_overview import run_overview
from pagehop.interfaces.showing import show_run
from pagehop.library.view import View
from pagehop.trajectories.episode import RewardRecord
from pagehop.trajectories.manifest import RunManifest
from pagehop.trajectories.reading import Run, read_run
from pagehop.trajectories.scores import write_scores

QUESTION = "What was the revenue of Halden Marine in 2022?"
EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">'


class Tags(HTMLParser):
    """Collects the tags of a page and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def evil_tale() -> Tale:
    tale = Tale(EVIL, gold_answers=[EVIL])
    tale.search(EVIL, [f"{EVIL}:1"], text=EVIL)
    tale.keep("a:1", EVIL)
    tale.tell(
        "node", "summarize", {"node": "summarize", "round": 0, "evidence": ["E1"], "notes": [EVIL]}
    )
    tale.tell("note", "n", {"text": EVIL})
    tale.tell("error", "x", {"where": EVIL, "error": EVIL})
    return tale


def test_words_of_documents_are_never_markup() -> None:
    episode = evil_tale().end("answered", EVIL, cited=["a:1"])
    run = Run(Path(), RunManifest(EVIL), (episode,))
    for html in (episode_page(episode, Pictures(None)), run_overview(run)):
        page = Tags(html)
        assert "script" not in page.tags and "img" not in page.tags
        assert not [name for name, _ in page.attributes if name.startswith("on")]
        assert "&lt;script&gt;" in html
        assert not re.search(r'(src|href)="(?!data:)', html)


def test_a_run_that_was_cut_off_shows_what_there_is() -> None:
    tale = Tale("How much?")
    tale.search("much", ["a:1"])
    html = episode_page(tale.episode(), Pictures(None, "Pages are not shown."))
    assert "cut off" in html and "keyword_search" in html and "Pages are not shown." in html


def test_a_page_shows_question_steps_pages_evidence_answer_and_rewards(
    view: View, tmp_path: Path
) -> None:
    answer = pagehop.ask(QUESTION, view, record=tmp_path)
    folder = Path(answer.trajectory)
    (episode,) = read_run(folder).episodes
    parts = {"answer": 1.0, "pages": None}
    reward = RewardRecord("house", 0.75, parts=parts, reason="the figure is right", ts=1.0)
    write_scores(folder, "house", "ab", {episode.episode_id: [reward]})
    shown = show_run(folder)
    html = shown.file.read_text()
    assert not shown.warnings and shown.file.stat().st_mode & 0o777 == 0o600
    expected = (
        QUESTION, "Plan", "Step 1", "semantic_search", "Evidence", "Verification", "house",
        "the figure is right", "0.75", episode.evidence[0].quote[:20],
    )  # fmt: skip
    assert all(said in html for said in expected)
    assert html.count("data:image/jpeg") >= 3 and '<i style="left:' in html


def test_without_its_library_a_page_says_so(view: View, tmp_path: Path) -> None:
    answer = pagehop.ask(QUESTION, view, record=tmp_path)
    shown = show_run(Path(answer.trajectory), library=tmp_path / "nowhere")
    assert "not there" in shown.warnings[0] and "data:image" not in shown.file.read_text()


def test_the_overview_sets_the_samples_of_a_question_side_by_side(
    view: View, tmp_path: Path
) -> None:
    pagehop.rollout([QUESTION, "Where is its seat?"], view, out=tmp_path, samples=2)
    run = read_run(tmp_path)
    scores = {
        episode.episode_id: [RewardRecord("answer", i / 4, ts=1.0)]
        for i, episode in enumerate(run.episodes)
    }
    write_scores(tmp_path, "answer", "ab", scores)
    told = CliRunner().invoke(app, ["show", str(tmp_path)])
    assert told.exit_code == 0 and told.stdout.strip() == str(tmp_path / "show.html")
    html = (tmp_path / "show.html").read_text()
    assert html.count(QUESTION) == 1 and "answer: mean 0.375 of 4" in html
    assert all(episode.episode_id in html for episode in run.episodes)
    one = CliRunner().invoke(app, ["show", str(tmp_path), "q2.1"])
    assert one.exit_code == 0 and (tmp_path / "show-q2.1.html").exists()
    none = CliRunner().invoke(app, ["show", str(tmp_path), "q9"])
    assert none.exit_code == 2 and "no episode is 'q9'" in none.stderr


def test_a_folder_without_a_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="no record of a run"):
        show_run(tmp_path)


def test_a_page_is_utf_8_whatever_the_locale(view: View, tmp_path: Path) -> None:
    answer = pagehop.ask(
        "What was the revenue of Hálden in 2022 \u2192 in crowns?", view, record=tmp_path
    )
    code = (
        "import sys; from pathlib import Path; from pagehop.interfaces.showing import show_run; "
        "show_run(Path(sys.argv[1]), library=Path('nowhere'))"
    )
    ascii_only = {**os.environ, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    command = [sys.executable, "-c", code, answer.trajectory]
    subprocess.run(command, env=ascii_only, check=True, capture_output=True)
    (page,) = Path(answer.trajectory).glob("show-*.html")
    assert "Hálden in 2022 \u2192" in page.read_text(encoding="utf-8")


def test_a_page_number_that_is_no_number_is_never_markup() -> None:
    episode = evil_tale().end("answered", "Yes", cited=["a:1"])
    assert episode.answer is not None
    citation = replace(episode.answer.citations[0], page=EVIL)  # type: ignore[arg-type]
    episode = replace(episode, answer=replace(episode.answer, citations=(citation,)))
    assert "img" not in Tags(episode_page(episode, Pictures(None))).tags
