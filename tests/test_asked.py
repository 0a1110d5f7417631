"""Questions with pictures: who sees them, who reads them, what is refused."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from PIL import Image

import pagehop
from pagehop import ConfigError
from pagehop.errors import LibraryError
from pagehop.interfaces.asked import MAX_PIXELS, checked_question
from pagehop.interfaces.replays import replay
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from pagehop.settings import load_settings
from pagehop.trajectories.blobs import blob_path
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.segments import undeclared

QUESTION = "Which report has this chart?"
REPORT = "Halden_2022_annual_report"
READ = {"content": "", "tool_calls": [{"name": "read_page", "args": {"ref": f"{REPORT}:1"}}]}
RUN = [
    json.dumps({"parts": [{"id": "Q1", "text": QUESTION}]}),
    READ,
    "Done.",
    json.dumps({
        "evidence": [{"ref": f"{REPORT}:1", "quote": "Revenue rose to 455.9 million crowns"}],
        "sufficient": True,
    }),
    json.dumps({"claims": [{"text": "That of 455.9 million.", "evidence": ["E1"]}]}),
]  # fmt: skip


def role_by_role(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
    """Reply as `RUN` does, in whatever order samples ask."""
    first, last = str(messages[0].content), str(messages[-1].content)
    if first.startswith("You plan"):
        return RUN[0]
    if first.startswith("You write the answer"):
        return RUN[-1]
    if "The round ends here" in last:
        return RUN[-2]
    return READ if last.startswith("Step 1.") else "Done."


def png(width: int = 40, height: int = 30) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(file, format="PNG")
    return file.getvalue()


def asked(**block: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": QUESTION}, {"type": "image", **block}]


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def text_only(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PAGEHOP_RUN__PICTURES", "no")
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def test_a_model_sees_the_questions_picture_in_every_prompt(view: View, tmp_path: Path) -> None:
    path = tmp_path / "chart.png"
    path.write_bytes(png())
    model = ScriptedModel(replies=RUN)
    answer = pagehop.ask(asked(path=path), view, model=model, record=False)
    assert (answer.status, answer.question) == ("answered", QUESTION)
    for call in model.calls:
        assert call.messages[2].type == "human"
        blocks: Any = call.messages[2].content
        assert [block["type"] for block in blocks] == ["text", "image"]
        picture = Image.open(io.BytesIO(base64.b64decode(blocks[1]["base64"])))
        assert picture.size == (40, 30)
        assert QUESTION in str(call.messages[1].content)


@pytest.mark.parametrize(
    "block",
    [
        {"base64": encoded(png()), "mime_type": "image/png"},
        {"url": f"data:image/png;base64,{encoded(png())}"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded(png())}"}},
        {"type": "image_url", "image_url": f"data:image/png;base64,{encoded(png())}"},
    ],
)
def test_every_form_of_a_picture_becomes_the_same_block(block: dict[str, Any]) -> None:
    (picture,) = checked_question(asked(**block)).pictures
    assert picture["type"] == "image" and picture["mime_type"] == "image/png"
    assert Image.open(io.BytesIO(base64.b64decode(picture["base64"]))).size == (40, 30)


def test_a_web_address_is_passed_on_and_a_large_picture_made_smaller() -> None:
    web = "https://example.org/chart.png"
    assert checked_question(asked(url=web)).pictures == ({"type": "image", "url": web},)
    (picture,) = checked_question(asked(base64=encoded(png(3000, 1000)))).pictures
    width, height = Image.open(io.BytesIO(base64.b64decode(picture["base64"]))).size
    assert width * height <= MAX_PIXELS and width / height == pytest.approx(3, rel=0.01)


@pytest.mark.usefixtures("text_only")
def test_a_text_only_model_gets_what_the_vision_model_reads(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eyes = ScriptedModel(replies=["A bar chart of Skarvoy."])
    model = ScriptedModel(replies=RUN)
    question = asked(base64=encoded(png()))
    prices = {"scripted": {"input": 1000.0, "output": 1000.0}}
    monkeypatch.setenv("PAGEHOP_PRICES", json.dumps(prices))
    load_settings.cache_clear()
    answer = pagehop.ask(question, view, model=model, vision_model=eyes, record=tmp_path)
    assert answer.status == "answered"
    assert "Picture 1: A bar chart of Skarvoy." in str(model.calls[1].messages[2].content)
    assert not any(isinstance(m.content, list) for call in model.calls for m in call.messages)
    assert len(eyes.calls) == 1 and QUESTION in str(eyes.calls[0].messages[-1].content)
    (episode,) = read_run(answer.trajectory).episodes
    read = next(call for call in episode.calls if call.role == "perceiver")
    assert not read.trainable and read.usage.model_calls == 1 and read.usage.money > 0
    assert episode.message(read.leaf).pictures[0].blob
    assert episode.message(read.message).text == "A bar chart of Skarvoy."
    assert not undeclared(episode)
    spent = [call.usage for call in episode.calls]
    for name in ("model_calls", "input_tokens", "output_tokens"):
        assert getattr(answer.usage, name) == sum(getattr(usage, name) for usage in spent)
    assert answer.usage.money == pytest.approx(sum(usage.money for usage in spent))


@pytest.mark.usefixtures("text_only")
def test_samples_share_one_reading_of_the_picture(view: View) -> None:
    eyes = ScriptedModel(replies=["A bar chart of Skarvoy."])
    model = ScriptedModel(replies=[said for said in RUN for _ in range(2)])
    question = asked(base64=encoded(png()))
    answer = pagehop.ask(question, view, model=model, vision_model=eyes, samples=2, record=False)
    assert answer.status == "answered" and len(eyes.calls) == 1
    assert answer.usage.model_calls == len(model.calls) + 1


@pytest.mark.usefixtures("text_only")
def test_a_vision_model_that_reads_nothing_fails_the_run_on_record(
    view: View, tmp_path: Path
) -> None:
    eyes = ScriptedModel(replies=["", "", ""])
    answer = pagehop.ask(
        asked(base64=encoded(png())), view, model=ScriptedModel(replies=RUN), vision_model=eyes,
        record=tmp_path,
    )  # fmt: skip
    assert answer.status == "failed" and "picture in the question was not read" in answer.error
    (episode,) = read_run(answer.trajectory).episodes
    assert [(call.role, call.error != "") for call in episode.calls] == [("perceiver", True)]
    assert answer.usage.model_calls == len(eyes.calls) == 3


@pytest.mark.usefixtures("text_only")
def test_a_picture_that_nobody_can_see_is_refused(view: View) -> None:
    question = asked(base64=encoded(png()))
    for ask in (pagehop.ask, pagehop.stream):
        with pytest.raises(ConfigError, match="give a vision_model="):
            ask(question, view, model=ScriptedModel(replies=RUN))
        with pytest.raises(ConfigError, match="the built-in reads text only"):
            ask(question, view)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ([{"type": "image", "base64": encoded(png())}], "has no text"),
        ([], "is empty"),
        (asked(type="audio"), "use text or image"),
        (asked(), "needs base64, path"),
        (asked(base64="?"), "no base64"),
        (asked(base64=encoded(b"not a picture")), "no picture that can be read"),
        (asked(path="/nothing/chart.png"), "cannot be read"),
        (asked(url="file:///etc/passwd"), "needs base64, path"),
    ],
)
def test_blocks_that_cannot_be_read_are_refused(question: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        checked_question(question)


def test_blocks_of_text_alone_are_a_text() -> None:
    blocks = [
        {"type": "text", "text": "What was the revenue"},
        {"type": "text", "text": "of 2022?"},
    ]
    assert checked_question(blocks).text == "What was the revenue\nof 2022?"


def library_path(view: View) -> Path:
    assert view.runs_path is not None
    return view.runs_path.parent


def replayed(answer: pagehop.Answer, view: View) -> list[tuple[str, ...]]:
    """Replay every episode of a run; return where each differs."""
    library = library_path(view)
    run = read_run(answer.trajectory)
    episodes = [episode for episode in run.episodes if episode.calls]  # not the choice of samples
    return [replay(run.folder, e.episode_id, library=library).differences for e in episodes]


def looking(tool: str, **arguments: Any) -> dict[str, Any]:
    """Say that a tool is to be called."""
    return {"content": "Look.", "tool_calls": [{"name": tool, "args": arguments}]}


def test_a_replay_shows_the_questions_pictures_and_the_crops_again(
    view: View, tmp_path: Path
) -> None:
    """A model that takes pictures has both in its prompts, a sheet of thumbnails beside them."""
    name = "Halden_2022_annual_report"
    steps = [
        looking("look", ref=f"{name}:1", y0=0.1, y1=0.5),
        looking("overview", document=name),
    ]
    model = ScriptedModel(replies=[RUN[0], *steps, *RUN[1:]])
    model.profile = {"image_inputs": True}
    question = [*asked(base64=encoded(png())), {"type": "image", "base64": encoded(png(30, 50))}]
    answer = pagehop.ask(question, view, model=model, record=tmp_path)
    (episode,) = read_run(answer.trajectory).episodes
    sent = [len(message.pictures) for message in episode.path(episode.calls[-3].leaf)]
    assert sum(sent) == 4, sent  # two of the question, a crop, a sheet
    assert replayed(answer, view) == [()]


def test_a_replay_whose_picture_is_gone_from_the_record_says_so(view: View, tmp_path: Path) -> None:
    model = ScriptedModel(replies=RUN)
    answer = pagehop.ask(asked(base64=encoded(png())), view, model=model, record=tmp_path)
    (episode,) = read_run(answer.trajectory).episodes
    shown = next(m for m in episode.path(episode.calls[0].leaf) if m.pictures)
    blob_path(Path(answer.trajectory), shown.pictures[0].blob).unlink()
    with pytest.raises(LibraryError, match=f"blob {shown.pictures[0].blob[:12]} .* is missing"):
        replayed(answer, view)


@pytest.mark.usefixtures("text_only")
def test_a_replay_reads_the_questions_pictures_as_they_were_read(
    view: View, tmp_path: Path
) -> None:
    """Of two samples the first has the calls that read them; the other has what was read."""
    eyes = ScriptedModel(replies=["A bar chart.", "A map."])
    model = ScriptedModel(replies=role_by_role)
    question = [*asked(base64=encoded(png())), {"type": "image", "base64": encoded(png(30, 50))}]
    answer = pagehop.ask(question, view, model=model, vision_model=eyes, samples=2, record=tmp_path)
    episodes = read_run(answer.trajectory).episodes
    readings = [sum(call.role == "perceiver" for call in episode.calls) for episode in episodes]
    assert sorted(readings) == [0, 0, 2]  # the third tells which one was chosen
    assert replayed(answer, view) == [(), ()]
    chosen = next(episode for episode in episodes if not episode.calls)
    with pytest.raises(ConfigError, match="which of several samples was chosen"):
        replay(answer.trajectory, chosen.episode_id, library=library_path(view))


def test_a_replay_sends_the_web_address_of_a_picture_again(view: View, tmp_path: Path) -> None:
    model = ScriptedModel(replies=RUN)
    model.profile = {"image_inputs": True}
    answer = pagehop.ask(
        asked(url="https://example.org/chart.png"), view, model=model, record=tmp_path
    )
    assert answer.status == "answered" and replayed(answer, view) == [()]
