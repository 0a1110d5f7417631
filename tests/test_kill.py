"""A library whose writer is killed at any moment shows whole documents only, and none is lost.

The writer runs in a process of its own that is killed with SIGKILL: after a random time, or, with
an audit hook, right before the n-th rename, removal or opening for writing of a file.
"""

import random
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from pagehop.library.library import Library
from pagehop.types import PageRef

WritePage = Callable[..., None]
WRITER = textwrap.dedent(
    """
    import os, signal, sys
    folder, source, point = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seen = 0

    def kill_at_point(event, arguments):
        global seen
        writes = event == "open" and set("wax+") & set(str(arguments[1]))
        if event in ("os.rename", "os.remove", "shutil.rmtree") or writes:
            if folder in str(arguments[0]):
                seen += 1
                if seen == point:
                    os.kill(os.getpid(), signal.SIGKILL)

    from pagehop import Library
    library = Library(folder)
    print("ready", flush=True)
    if point:
        sys.addaudithook(kill_at_point)
    library.add(source)
    library.close()
    print(f"done {seen}", flush=True)
    """
)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, write_page: WritePage) -> Path:
    """A library of two old documents, and a folder that changes one, adds three, drops one."""
    made = tmp_path_factory.mktemp("start")
    for name in ("kept", "changed", "dropped"):
        write_page(made / "in" / f"{name}.pdf", f"The old {name} engine, see Note 1.")
    with Library(made) as library:
        library.add(made / "in")
    (made / "in" / "dropped.pdf").unlink()
    write_page(made / "in" / "changed.pdf", "The new changed engine.", "Note 1. Fuel.")
    for i in range(3):
        write_page(made / "in" / f"added{i}.pdf", f"The new added engine {i}.", "See Note 2.")
    return made


def _write(library: Path, source: Path, point: int, kill_after_s: float | None) -> str:
    """Run the writer; returns what it said before it ended or was killed."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(library), str(source), str(point)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    said = writer.stdout.readline()
    try:
        rest, errors = writer.communicate(timeout=kill_after_s)
    except subprocess.TimeoutExpired:
        writer.kill()
        rest, errors = writer.communicate()
    assert writer.returncode in (0, -signal.SIGKILL), errors
    return said + rest


def _check_nothing_is_lost_or_half_shown(folder: Path) -> None:
    """Look at the library as a reader that never writes."""
    with Library(folder, create=False) as library:
        view = library.view()
        names = {document.name for document in view.documents()}
        assert {"kept", "changed"} <= names <= {"kept", "changed", "dropped", *_ADDED}
        for document in view.documents():
            pages = view.pages(document.name)
            assert (
                len(pages) == document.pages == 1 and document.name.rstrip("012") in pages[0].text
            )
            assert pages[0].text.startswith("The old" if document.name == "kept" else "The ")
            ids = [region.id for region in view.regions(PageRef(document.name, 1))]
            assert len(ids) == len(set(ids))
            found = {hit.name for hit in view.search("engine", mode="keyword", k=20)}
            assert document.name in found
        assert {hit.name for hit in view.search("engine", k=20)} <= names
        snapshot = view.snapshot
        assert snapshot.statistics().passages == snapshot.passages()


_ADDED = ("added0", "added1", "added2")


def _check_that_adding_again_completes(folder: Path, source: Path) -> None:
    with Library(folder) as library:
        library.add(source)
        assert {d.name for d in library.documents()} == {"kept", "changed", *_ADDED}
        assert library.status().complete
        assert library.check().ok
        assert not list((library.path / "sources").glob(".*"))
        hits = library.search("new changed engine", mode="semantic", k=20)
        assert len(hits) == 5 and hits[0].name == "changed"


def _kill(start: Path, folder: Path, point: int, kill_after_s: float | None) -> str:
    shutil.copytree(start / ".pagehop", folder / ".pagehop")
    said = _write(folder / ".pagehop", start / "in", point, kill_after_s)
    _check_nothing_is_lost_or_half_shown(folder)
    return said


def test_killed_at_write_points_a_library_stays_whole(start: Path, tmp_path: Path) -> None:
    for point in (5, 21):
        said = _kill(start, tmp_path / str(point), point, None)
        assert said == "ready\n", "it was killed on its way"
    _check_that_adding_again_completes(tmp_path / "21", start / "in")


def test_killed_after_a_while_a_library_stays_whole(start: Path, tmp_path: Path) -> None:
    _kill(start, tmp_path, 0, 1.0)
    _check_that_adding_again_completes(tmp_path, start / "in")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_every_write_point_a_library_stays_whole(start: Path, tmp_path: Path) -> None:
    """Goes on until a run gets past its last write point."""
    for point in range(1, 200):
        folder = tmp_path / str(point)
        said = _kill(start, folder, point, None)
        _check_that_adding_again_completes(folder, start / "in")
        shutil.rmtree(folder)
        if "done" in said:
            assert point > 20
            return
    pytest.fail("the writer has more write points than this test tries")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_random_moments_again_and_again_a_library_stays_whole(
    start: Path, tmp_path: Path
) -> None:
    """The same library is killed over and over until an add gets through."""
    rng = random.Random(5)
    for run in range(6):
        folder = tmp_path / str(run)
        shutil.copytree(start / ".pagehop", folder / ".pagehop")
        for _ in range(8):
            _write(folder / ".pagehop", start / "in", 0, rng.uniform(0.05, 4.0))
            _check_nothing_is_lost_or_half_shown(folder)
        _check_that_adding_again_completes(folder, start / "in")
