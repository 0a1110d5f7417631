"""Tesseract, run as a program for each picture."""

import os
import subprocess
from statistics import fmean

import numpy as np

from pagehop.errors import ConfigError
from pagehop.reading.ocr_lines import PixelWord, ReadLine, even_letters
from pagehop.reading.ocr_picture import Engine, Picture


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
            fmean(sure[key]),
            " ".join(word[4] for word in words),
            [x for word in words for x in even_letters(word) if not x[4].isspace()],
        )
        for key, words in lines.items()
    ]
