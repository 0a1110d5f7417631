"""The process that reads pictures of text.

Started by `ocr_engine` as `python -P -m pagehop.reading.ocr_worker SOCKET POSITION MEMORY_MB ENGINE
LANGUAGE THREADS`; takes pictures and gives lines as msgpack over the socket. A picture may be
hostile and the engine may hang, so the parent watches the time and the system the address space.

1. A picture whose columns of ink stand out more than its rows is turned by a quarter. One that the
   engine is unsure of is turned upside down, and the reading it is surer of is taken.
2. It is straightened: of small angles, the one at which its rows of ink stand out most.
3. An engine reads it (`ocr_rapid.py`, `ocr_tesseract.py`).
"""

import contextlib
import ctypes
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import ormsgpack

from pagehop.errors import ConfigError
from pagehop.reading.ocr_lines import Line, line_words
from pagehop.reading.ocr_picture import (
    Engine,
    Picture,
    dark_spots,
    find_skew,
    lies_sideways,
    straightened,
    turned_back,
)
from pagehop.reading.ocr_rapid import rapidocr_engine
from pagehop.reading.ocr_tesseract import tesseract_engine

SureLine = tuple[float, Line]
"""How sure the engine is of a line, 0 to 1, and its words."""

SURE = 0.8
"""Pages that stand upright are read more surely than this, those upside down less."""
IDLE_S = 20.0
"""After so long without a picture, memory kept for the next one goes back to the system."""
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
"""Numbers of mallopt, from malloc.h."""


@dataclass(frozen=True)
class Reading:
    """What was read in a picture."""

    angle: float
    """Degrees by which its lines are turned clockwise, from level or upright."""
    lines: list[Line]


def read_picture(engine: Engine, picture: Picture, dpi: float) -> Reading:
    """Turn a picture upright, straighten and read it; words are given where they stand in it."""
    quarters = 1 if lies_sideways(picture, dpi) else 0
    angle, lines = _read_level(engine, np.rot90(picture, quarters), dpi)
    if _sureness(lines) < SURE:
        other = _read_level(engine, np.rot90(picture, quarters + 2), dpi)
        if _sureness(other[1]) > _sureness(lines):
            (angle, lines), quarters = other, quarters + 2
    size = np.rot90(picture, quarters).shape[:2]
    return Reading(angle, [turned_back(line, quarters, size) for _, line in lines])


def _sureness(lines: list[SureLine]) -> float:
    """Return how sure the engine is of a page, long lines counting more."""
    weights = [sum(len(word[4]) for word in line) for _, line in lines]
    sure = sum(weight * sure for weight, (sure, _) in zip(weights, lines, strict=True))
    return sure / (sum(weights) or 1)


def _read_level(engine: Engine, picture: Picture, dpi: float) -> tuple[float, list[SureLine]]:
    """Straighten a picture by a few degrees and read it."""
    angle = find_skew(picture, dpi)
    if angle:
        picture = straightened(picture, angle)
    ink = dark_spots(picture)
    read = engine(picture, dpi)
    return angle, [
        (sure, line_words(text, letters, ink)) for sure, text, letters in read if letters
    ]


ENGINES: dict[str, Callable[[str, int], Engine]] = {
    "rapidocr": rapidocr_engine,
    "tesseract": tesseract_engine,
}


class Worker:
    """Answers requests until the parent hangs up."""

    def __init__(self, link: Connection, engine: Engine) -> None:
        self.link = link
        self.engine = engine

    def serve(self) -> None:
        """Take pictures; an error ends the picture, not the process."""
        self.send("ready")
        while True:
            if not self.link.poll(IDLE_S):
                _give_memory_back()
            try:
                request = ormsgpack.unpackb(self.link.recv_bytes())
            except EOFError:
                return
            signal.alarm(request["alarm_s"])
            size = request["height"], request["width"], 3
            picture = np.frombuffer(request["pixels"], np.uint8).reshape(size)
            try:
                reading = read_picture(self.engine, picture, request["dpi"])
            except Exception as error:
                # The boundary to the engine, whose native half raises anything.
                self.send("error", detail=f"{type(error).__name__}: {error}")
                _give_memory_back()  # there may have been too little
            else:
                self.send("read", angle=reading.angle, lines=reading.lines)
            signal.alarm(0)

    def send(self, kind: str, **body: object) -> None:
        """Send one message."""
        options = ormsgpack.OPT_SERIALIZE_NUMPY
        self.link.send_bytes(ormsgpack.packb({"kind": kind, **body}, option=options))


def _keep_freed_memory() -> None:
    """Have glibc keep what an engine frees for what it asks next; does nothing without glibc.

    Mapping and zeroing it anew took a third of the time of finding lines. It is kept in one pool
    for all threads: with a pool for each, a page takes 150 MB more.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def _give_memory_back() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _limit(memory_mb: int) -> None:
    import resource  # noqa: PLC0415 - POSIX only

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        limit = int(lines["VmSize"].split()[0]) * 1024 + memory_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> None:
    """Serve the parent over the socket named on the command line."""
    fd, _, memory_mb = map(int, sys.argv[1:4])
    name, language, threads = sys.argv[4], sys.argv[5], int(sys.argv[6])
    _keep_freed_memory()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        link = Connection(fd)
        try:
            engine = ENGINES[name](language, threads)
        except ConfigError as error:
            link.send_bytes(ormsgpack.packb({"kind": "unusable", "detail": str(error)}))
            return
        _limit(memory_mb)
        Worker(link, engine).serve()


if __name__ == "__main__":
    main()
