"""The processes that read PDFs: replaced when they die, ended with what started them."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from made_pdfs import (
    WORDS,
    draw,
    nested_forms,
)
from pagehop.reading.pdf_pool import PdfPool
from pagehop.settings import IngestSettings
from read_pdfs import read

MARK = "PAGEHOP_TEST_RUN"
"""Environment variable by which a test knows the processes it started."""


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    path = nested_forms(tmp_path / "mixed.pdf", good_pages=2)
    before = set(psutil.Process().children())

    def kill_the_worker() -> None:
        while not (workers := set(psutil.Process().children()) - before):
            time.sleep(0.05)
        (worker,) = workers
        while worker.cpu_times().user < 2:
            time.sleep(0.05)
        worker.kill()

    with PdfPool(IngestSettings(workers=1, page_timeout_s=60)) as pool:
        killer = threading.Thread(target=kill_the_worker)
        killer.start()
        document = read(pool, path)
        killer.join()
    assert [bool(page.text) for page in document.pages] == [True, True, False]
    assert "SIGKILL" in document.warnings[0]


def test_an_idle_worker_that_died_is_replaced(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.pdf", *[f"{WORDS} {i}" for i in range(3)])
    before = set(psutil.Process().children())
    with PdfPool(IngestSettings(workers=1)) as pool:
        document = read(pool, path)
        pool.crop(path, 1, (0, 0, 1, 1), max_pixels=1000)
        dead = set(psutil.Process().children()) - before
        for worker in dead:
            worker.kill()
        psutil.wait_procs(dead, timeout=5)
        assert [p.text for p in read(pool, path).pages] == [p.text for p in document.pages]
        assert pool.crop(path, 2, (0, 0, 1, 1), max_pixels=1000).width > 10


def test_an_unguarded_script_may_stop_in_the_middle(tmp_path: Path) -> None:
    """Spawned processes die in such a script; an abandoned worker must not hold its exit."""
    for i in range(6):
        draw(tmp_path / f"{i}.pdf", *[WORDS] * 20)
    nested_forms(tmp_path / "bomb.pdf")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from pagehop.reading.pdf_pool import PdfPool\n"
        "from pagehop.reading.parsed import PdfJob\n"
        "pool = PdfPool()\n"
        "jobs = [PdfJob(p) for p in sorted(Path(sys.argv[1]).glob('*.pdf'))]\n"
        "results = pool.texts(jobs)\n"
        "print(type(next(results)[1]).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, script, tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, MARK: str(tmp_path)},
    )
    assert (done.stdout, done.stderr, done.returncode) == ("DocumentText\n", "", 0)
    time.sleep(0.2)
    assert not _processes_with(tmp_path)


def test_an_interrupt_ends_the_workers(tmp_path: Path) -> None:
    nested_forms(tmp_path / "bomb.pdf")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from pagehop.reading.pdf_pool import PdfPool\n"
        "from pagehop.reading.parsed import PdfJob\n"
        "from pagehop.settings import IngestSettings\n"
        "with PdfPool(IngestSettings(page_timeout_s=100)) as pool:\n"
        "    print('started', flush=True)\n"
        "    list(pool.texts([PdfJob(Path(sys.argv[1]))]))\n"
    )
    child = subprocess.Popen(
        [sys.executable, script, tmp_path / "bomb.pdf"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        process = psutil.Process(child.pid)
        while not (workers := process.children()):
            time.sleep(0.05)
        time.sleep(1)
        os.kill(child.pid, signal.SIGINT)
        child.wait(20)
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not alive


def _processes_with(mark: Path) -> set[int]:
    """Return the processes that a script started, also those it has left behind.

    A worker inherits the environment of its parent; counting all workers of the machine would
    count those of other test runs.
    """
    found = set()
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(mark):
                found.add(process.pid)
        except psutil.Error:
            continue  # it ended, or is another user's
    return found
