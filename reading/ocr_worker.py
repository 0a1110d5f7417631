"""The process that reads pictures of text: the only file that runs an OCR engine.

Started by `ocr_engine` as `python -P -m pagehop.reading.ocr_worker SOCKET POSITION MEMORY_MB ENGINE
LANGUAGE THREADS`; takes pictures and gives lines as msgpack over the socket. A picture may be
hostile and the engine may hang, so the parent watches the time and the system the address space.

1. A picture whose columns of ink stand out more than its rows is turned by a quarter. One that the
   engine is unsure of is turned upside down, and the reading it is surer of is taken.
2. It is straightened: of small angles, the one at which its rows of ink stand out most.
3. RapidOCR reads it with the models of its own package; Tesseract is run as a program.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import ormsgpack
from PIL import Image

from pagehop.errors import ConfigError
from pagehop.reading.ocr_lines import Line, PixelWord, even_letters, line_words
from pagehop.reading.ocr_picture import (
    Picture,
    dark_spots,
    find_skew,
    lies_sideways,
    paper_shade,
    turned_back,
)

SureLine = tuple[float, Line]
"""How sure the engine is of a line, 0 to 1, and its words."""
ReadLine = tuple[float, str, list[PixelWord]]
"""How sure the engine is of a line, its text, and its letters without the blanks."""
Engine = Callable[[Picture, float], list[ReadLine]]
"""Takes a picture, (height, width, 3) RGB, and its dots per inch."""

DETECT_SIDE_PX = 1600
"""Text is found in a picture of this size and read at full size: memory goes by it."""
SURE = 0.8
"""Pages that stand upright are read more surely than this, those upside down less."""
BATCH = 1
"""Lines read at once; six lines of unlike lengths take more memory and are no faster."""


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
        turned = Image.fromarray(picture).rotate(
            angle, resample=Image.Resampling.BICUBIC, fillcolor=paper_shade(picture)
        )
        picture = np.asarray(turned)
    ink = dark_spots(picture)
    read = engine(picture, dpi)
    return angle, [
        (sure, line_words(text, letters, ink)) for sure, text, letters in read if letters
    ]


def rapidocr_settings(threads: int) -> dict[str, Any]:
    """Return what RapidOCR is told: words with boxes, no turned lines, memory kept low."""
    return {
        "Global.use_cls": False,
        "Global.return_word_box": True,
        "Global.return_single_char_box": True,
        "Global.log_level": "error",
        "Global.max_side_len": 20_000,  # 2000 would make pages of 200 dpi smaller unasked
        "Det.limit_type": "max",
        "Det.limit_side_len": DETECT_SIDE_PX,
        "Rec.rec_batch_num": BATCH,
        "EngineConfig.onnxruntime.intra_op_num_threads": threads or -1,
    }


def _stop_spinning() -> None:
    """Keep idle threads of the engine from holding the processors that others need.

    On a busy machine they took a third of the time of each page; RapidOCR has no setting for it.
    """
    from rapidocr.inference_engine.onnxruntime.main import (  # noqa: PLC0415 - with the engine
        OrtInferSession,
    )

    made = OrtInferSession._init_sess_opts

    def options(settings: Any) -> Any:
        found = made(settings)
        found.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return found

    OrtInferSession._init_sess_opts = staticmethod(options)  # type: ignore[assignment]


def rapidocr_engine(language: str, threads: int) -> Engine:
    """Load RapidOCR with the models of its package.

    Raises:
        ConfigError: It is not installed, or has no model for the language.
    """
    try:
        from rapidocr import (  # noqa: PLC0415 - only this engine needs it
            LangRec,
            ModelType,
            OCRVersion,
            RapidOCR,
        )
    except ImportError as error:
        raise ConfigError(f"{error}; install it with: pip install 'pagehop[local]'") from error

    with contextlib.suppress(ImportError, AttributeError):  # another release of the engine
        _stop_spinning()
    wanted = rapidocr_settings(threads)
    try:
        if language:  # the packaged model is of several; one of its own may have to be fetched
            wanted["Rec.lang_type"] = LangRec(language)
            wanted["Rec.ocr_version"] = OCRVersion.PPOCRV5
            wanted["Rec.model_type"] = ModelType.MOBILE
        read = RapidOCR(params=wanted)
        read(np.full((64, 64, 3), 255, dtype=np.uint8))  # loads the models
    except Exception as error:
        # The boundary to the engine: it raises what its downloads and models raise.
        what = f"no model for language {language!r}" if language else "rapidocr does not start"
        remedy = "pip install 'pagehop[local]' brings it with its models"
        raise ConfigError(f"{what} ({error}); {remedy}") from error

    def recognise(picture: Picture, dpi: float) -> list[ReadLine]:
        del dpi
        result = read(np.ascontiguousarray(picture[:, :, ::-1]))
        texts = list(getattr(result, "txts", None) or ())
        found = (_letters(line) for line in getattr(result, "word_results", None) or ())
        return [(sure, _text_of(letters, texts), letters) for sure, letters in found if letters]

    return recognise


def _letters(line: Any) -> tuple[float, list[PixelWord]]:
    """Return how sure the engine is of a line, and its letters; none is `("", 1.0, None)`."""
    found = [part for part in line if isinstance(part, tuple | list) and len(part) == 3]
    letters: list[PixelWord] = []
    for text, _, corners in found:
        xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
        letters.append((min(xs), min(ys), max(xs), max(ys), text))
    return _mean([sure for _, sure, _ in found]), letters


def _text_of(letters: list[PixelWord], texts: list[str]) -> str:
    """Take the text of a line, which has the blanks, from those of a page in their order.

    The engine may leave a line out of its letters or out of its texts.
    """
    plain = "".join(letter[4] for letter in letters)
    for i, text in enumerate(texts):
        if "".join(text.split()) == plain:
            del texts[: i + 1]
            return text
    return plain


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def tesseract_engine(language: str, threads: int) -> Engine:
    """Run Tesseract on each picture.

    Raises:
        ConfigError: It is not installed, or lacks the language.
    """
    try:
        listed = subprocess.run(
            ["tesseract", "--list-langs"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigError(
            f"tesseract cannot be run ({error}); install it, e.g. apt-get install tesseract-ocr"
        ) from error
    wanted = language or "eng"
    known = set((listed.stdout + listed.stderr).split())
    missing = [name for name in wanted.split("+") if name not in known]
    if missing:
        raise ConfigError(
            f"tesseract has no data for language {'+'.join(missing)!r}; install it, e.g. apt-get "
            f"install tesseract-ocr-{missing[0]}"
        )
    # Its idle threads spin: on a busy machine two of them took many times as long as one.
    limit = {"OMP_THREAD_LIMIT": str(threads or 1)}

    def recognise(picture: Picture, dpi: float) -> list[ReadLine]:
        height, width = picture.shape[:2]
        data = f"P6 {width} {height} 255\n".encode() + np.ascontiguousarray(picture).tobytes()
        done = subprocess.run(
            ["tesseract", "stdin", "stdout", "-l", wanted, "--dpi", str(round(dpi)), "tsv"],
            input=data,
            capture_output=True,
            env={**os.environ, **limit},
            check=False,
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise RuntimeError(said[-1] if said else f"tesseract ended with {done.returncode}")
        return _tesseract_lines(done.stdout.decode(errors="replace"))

    return recognise


def _tesseract_lines(table: str) -> list[ReadLine]:
    """Read the columns level, page, block, paragraph, line, word, box, confidence, text."""
    lines: dict[tuple[str, ...], list[PixelWord]] = {}
    sure: dict[tuple[str, ...], list[float]] = {}
    for row in table.splitlines()[1:]:
        fields = row.split("\t")
        if len(fields) < 12 or fields[0] != "5" or not fields[11].strip():
            continue
        x, y, width, height = map(float, fields[6:10])
        key = tuple(fields[1:5])
        sure.setdefault(key, []).append(float(fields[10]) / 100)
        lines.setdefault(key, []).append((x, y, x + width, y + height, fields[11].strip()))
    return [
        (
            _mean(sure[key]),
            " ".join(word[4] for word in words),
            [x for word in words for x in even_letters(word) if not x[4].isspace()],
        )
        for key, words in lines.items()
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
            else:
                self.send("read", angle=reading.angle, lines=reading.lines)
            signal.alarm(0)

    def send(self, kind: str, **body: object) -> None:
        """Send one message."""
        options = ormsgpack.OPT_SERIALIZE_NUMPY
        self.link.send_bytes(ormsgpack.packb({"kind": kind, **body}, option=options))


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
