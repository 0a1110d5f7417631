"""Libraries without an encoder, with another one, and stopped by Ctrl-C."""

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pagehop.library.library import Library
from pagehop.models.text_encoder import load_text_encoder
from pagehop.settings import load_settings

WritePage = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path, write_page: WritePage) -> Path:
    """Two documents of a page each."""
    write_page(tmp_path / "in" / "alpha.pdf", "The alpha engine runs on hydrogen.")
    write_page(tmp_path / "in" / "beta.pdf", "The beta engine runs on ammonia.")
    return tmp_path / "in"


@pytest.fixture(scope="module")
def packaged() -> Path:
    """The folder of the packaged encoder."""
    return load_text_encoder().tokenizer_path.parent


@pytest.fixture
def no_encoder(packaged: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Settings that name an encoder which is nowhere to be found."""
    monkeypatch.setenv("PAGEHOP_ENCODER__MODEL", str(tmp_path / "nowhere"))
    load_settings.cache_clear()
    yield
    monkeypatch.undo()
    load_settings.cache_clear()


def test_without_an_encoder_keyword_search_goes_on_and_that_is_said(
    folder: Path, no_encoder: None
) -> None:
    with Library(folder) as library:
        report = library.add(folder)
        assert len(report.added) == 2
        assert len(report.warnings) == 1 and "search is by keywords only" in report.warnings[0]
        hits = library.search("hydrogen engine")
        assert hits[0].name == "alpha" and hits.embedded == 0.0 and hits.note
        assert not library.search("hydrogen", mode="keyword").note
        status = library.status()
        assert status.text_complete and status.pages_read == 2 and status.embedded == 0.0


def test_vectors_are_made_once_an_encoder_is_there(
    folder: Path, packaged: Path, no_encoder: None
) -> None:
    with Library(folder) as library:
        library.add(folder)
    with Library(folder, encoder=str(packaged)) as library:
        report = library.add(folder)
        assert not report.warnings and len(report.unchanged) == 2
        assert library.status().embedded == 1.0
        assert library.search("hydrogen", mode="semantic")[0].name == "alpha"


def test_another_encoder_takes_over_when_all_its_vectors_are_there(
    folder: Path, packaged: Path, tmp_path: Path
) -> None:
    other = tmp_path / "short"
    other.mkdir()
    for path in packaged.iterdir():
        (other / path.name).symlink_to(path)
    (other / "sentence_bert_config.json").unlink(missing_ok=True)
    (other / "sentence_bert_config.json").write_text('{"max_seq_length": 64}')
    with Library(folder) as library:
        library.add(folder)
        first = library.status().encoder
        old = library.view()
    with Library(folder, encoder=str(other)) as library:
        assert library.status().encoder == first, "until the new vectors are there"
        encoder = library.view().encoder
        assert encoder is not None and encoder.id == first
        library.add(folder)
        second = library.status().encoder
        assert second != first and library.status().embedded == 1.0
        view = library.view()
        assert view.encoder is not None and view.encoder.id == second
        assert view.search("hydrogen", mode="semantic")[0].name == "alpha"
        assert library.at(old.version).snapshot.vectors().matrix.shape[0] == 2
    with Library(folder) as library:
        library.add(folder)
        assert library.status().encoder == second, "the library keeps its encoder"


def test_ctrl_c_stops_adding_and_leaves_a_usable_library(
    folder: Path, tmp_path: Path, write_page: WritePage
) -> None:
    for i in range(30):
        write_page(folder / f"more{i}.pdf", f"Engine {i}. " + "Words about engines. " * 400)
    script = textwrap.dedent(
        """
        import sys
        from pagehop import Library
        library = Library(sys.argv[1])
        said = set()
        def progress(status):
            if status.stage not in said:
                said.add(status.stage)
                print(status.stage, status.documents, flush=True)
        library.add(sys.argv[2], progress=progress)
        """
    )
    adding = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "lib"), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert adding.stdout is not None
    while not adding.stdout.readline().startswith("reading"):
        time.sleep(0.01)
    adding.send_signal(signal.SIGINT)
    _, errors = adding.communicate(timeout=60)
    assert adding.returncode != 0 and errors.strip().endswith("KeyboardInterrupt")
    with Library(tmp_path / "lib", create=False) as library:
        assert len(library.documents()) == 32
        assert library.search("hydrogen", mode="keyword")[0].name == "alpha"
