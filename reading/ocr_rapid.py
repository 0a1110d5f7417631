"""RapidOCR with the models of its package: finds the lines of a picture and reads each.

What is done for its rate, with the same lines read:

1. A line is read on one core, and as many lines at once as there are cores, up to a bound: cores
   that share a line wait for each other at each of its small operations.
2. Idle threads sleep: spinning, they hold the processors that others need.
"""

import contextlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from statistics import fmean
from typing import Any

import numpy as np

from pagehop.errors import ConfigError
from pagehop.reading.ocr_lines import PixelWord, ReadLine
from pagehop.reading.ocr_picture import Engine, Picture

DETECT_SIDE_PX = 1600
"""Text is found in a picture of this size and read at full size: memory goes by it."""
BATCH = 1
"""Lines read at once by a thread; six of unlike lengths take more memory and are no faster."""
MOST_THREADS = 8
"""That read lines; sixteen take 200 MB more."""


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


def rapidocr_engine(language: str, threads: int) -> Engine:
    """Load RapidOCR.

    Args:
        language: One of its own names; empty takes the packaged model, which is of several.
        threads: To read with, as many as there are processors for 0; lines with eight at most.

    Raises:
        ConfigError: It is not installed, or has no model for the language.
    """
    try:
        import rapidocr  # noqa: F401, PLC0415 - whether it is there at all
    except ImportError as error:
        raise ConfigError(f"{error}; install it with: pip install 'pagehop[local]'") from error

    with contextlib.suppress(ImportError, AttributeError):  # another release of the engine
        _stop_spinning()
    try:
        read = _load(language, threads)
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


def _load(language: str, threads: int) -> Any:
    """Return the engine with both its models loaded."""
    from rapidocr import (  # noqa: PLC0415 - only this engine needs it
        LangRec,
        ModelType,
        OCRVersion,
        RapidOCR,
    )

    wanted = rapidocr_settings(threads)
    if language:  # the packaged model is of several; one of its own may have to be fetched
        wanted["Rec.lang_type"] = LangRec(language)
        wanted["Rec.ocr_version"] = OCRVersion.PPOCRV5
        wanted["Rec.model_type"] = ModelType.MOBILE
    blank = np.full((64, 64, 3), 255, dtype=np.uint8)
    read: Any = RapidOCR(params=wanted)
    read(blank)
    alone = RapidOCR(params={**wanted, **rapidocr_settings(1)})
    alone(blank, use_det=False)
    if hasattr(read, "text_rec"):  # else another release, which reads a line on all cores
        read.text_rec = _LinesAtOnce(alone.text_rec, min(threads or _processors(), MOST_THREADS))
    return read


class _LinesAtOnce:
    """Takes the place of RapidOCR's recogniser: reads several lines of a page at once."""

    def __init__(self, recognise: Any, threads: int) -> None:
        """Take a recogniser whose model runs in the thread that calls it."""
        self._recognise = recognise
        self._pool = ThreadPoolExecutor(threads)

    def __call__(self, lines: Any) -> Any:
        """Read the pictures of lines, `TextRecInput`; returns `TextRecOutput` in their order."""
        pictures = [lines.img] if isinstance(lines.img, np.ndarray) else lines.img
        if not pictures:
            return self._recognise(lines)

        def one(i: int) -> Any:
            return self._recognise(type(lines)(pictures[i], lines.return_word_box))

        longest_first = sorted(range(len(pictures)), key=lambda i: _proportion(pictures[i]))
        read = dict(zip(longest_first, self._pool.map(one, longest_first), strict=True))
        parts = [read[i] for i in range(len(pictures))]
        whole = parts[0]
        whole.imgs = [part.imgs[0] for part in parts]
        whole.txts, whole.scores, whole.word_results = (
            tuple(getattr(part, name)[0] for part in parts)
            for name in ("txts", "scores", "word_results")
        )
        return whole


def _processors() -> int:
    """Count those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _proportion(picture: Picture) -> float:
    """Return height by width: less for longer lines, as all are read at one height."""
    return float(picture.shape[0] / max(1, picture.shape[1]))


@cache
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


def _letters(line: Any) -> tuple[float, list[PixelWord]]:
    """Return how sure the engine is of a line, and its letters; none is `("", 1.0, None)`."""
    found = [part for part in line if isinstance(part, tuple | list) and len(part) == 3]
    letters: list[PixelWord] = []
    for text, _, corners in found:
        xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
        letters.append((min(xs), min(ys), max(xs), max(ys), text))
    return fmean([sure for _, sure, _ in found] or [0.0]), letters


def _text_of(letters: Sequence[PixelWord], texts: list[str]) -> str:
    """Take the text of a line, which has the blanks, from those of a page in their order.

    The engine may leave a line out of its letters or out of its texts.
    """
    plain = "".join(letter[4] for letter in letters)
    for i, text in enumerate(texts):
        if "".join(text.split()) == plain:
            del texts[: i + 1]
            return text
    return plain
