"""How fast passages become vectors, and how near they stay to plain fp32.

    python benchmarks/embedding.py [--data FOLDER] [--passages N] [--save]

The reference is the usual loop: the same model through AutoModel in fp32, batches of 32 in the
order of the documents, mean pooling. Each backend that this machine can run embeds the same
passages; order of runs: reference first. Passages are cut from pages spread over the documents.
The ratio of processor time tells most on a machine that does other things too.
"""

import argparse
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

import pagehop
from pagehop.errors import PagehopError
from pagehop.models.encoder_files import find_encoder
from pagehop.models.text_encoder import TextEncoder
from pagehop.reading.parsed import DocumentReading, PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.settings import EncoderSettings

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "embedding.md"
EXAMPLES = Path(__file__).parent.parent / "examples" / "documents"
BATCH = 32
T = TypeVar("T")


def main() -> None:
    """Time the reference and each backend on the same passages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=EXAMPLES, help="folder of PDFs")
    parser.add_argument("--passages", type=int, default=1024)
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    args = parser.parse_args()
    texts = cut_passages(args.data, args.passages)
    words = statistics.mean(len(text.split()) for text in texts)
    lines = [
        f"{len(texts)} passages of {words:.0f} words on average, {os.cpu_count()} processors, "
        f"{find_encoder().name}, pagehop {pagehop.__version__}.",
        "",
        "| way | passages/s | against plain fp32 | processor time, ms a passage "
        "| plain fp32 / that | least cosine | same top 10 | a query, ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    plain_fp32(texts[:BATCH])
    plain, took = timed(lambda: plain_fp32(texts))
    lines.append(
        f"| plain fp32, batches of {BATCH} | {len(texts) / took.seconds:.0f} | 1 "
        f"| {1000 * took.processor_s / len(texts):.1f} | 1 | 1 | 1 | |"
    )
    for backend in ("fp32", "onnx", "bf16"):
        lines.append(measure(backend, texts, plain, took))
    print("\n".join(lines))
    if args.save:
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        command = "python benchmarks/embedding.py " + " ".join(sys.argv[1:])
        text = "\n".join(lines)
        TABLE.write_text(f"# Embedding\n\n{date.today()}: `{command}`\n\n{text}\n")


@dataclass(frozen=True)
class Took:
    """What a call took."""

    seconds: float
    processor_s: float
    """Of all threads of this process."""


def measure(backend: str, texts: list[str], plain: NDArray[np.float32], took: Took) -> str:
    """Return one line of the table."""
    tokens = EncoderSettings().batch_tokens
    encoder = TextEncoder(find_encoder(), backend=backend, batch_tokens=tokens)
    try:
        encoder.encode(texts[:BATCH])
    except PagehopError as error:
        return f"| {backend} | not here: {error} | | | | | | |"
    vectors, own = timed(lambda: encoder.encode(texts))
    queries = [timed(partial(encoder.encode_query, text[:60]))[1] for text in texts[:40]]
    encoder.close()
    cosine = float((vectors * plain).sum(1).min())
    speed = f"{len(texts) / own.seconds:.0f} | {took.seconds / own.seconds:.1f}"
    work = f"{1000 * own.processor_s / len(texts):.1f} | {took.processor_s / own.processor_s:.1f}"
    query_ms = 1000 * statistics.median(query.seconds for query in queries)
    near = f"{cosine:.4f} | {same_top(vectors, plain):.3f}"
    return f"| pagehop, {backend} | {speed} | {work} | {near} | {query_ms:.1f} |"


def same_top(vectors: NDArray[np.float32], plain: NDArray[np.float32], k: int = 10) -> float:
    """Return the share of each passage's k nearest that both ways agree on."""
    nearest = [np.argsort(-(m @ m.T), axis=1)[:, :k] for m in (vectors, plain)]
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(*nearest, strict=True)]))


def plain_fp32(texts: list[str]) -> NDArray[np.float32]:
    """Embed as most programs do."""
    import torch  # noqa: PLC0415 - after arguments are read
    from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415 - as above
    from transformers.utils import logging  # noqa: PLC0415 - as above

    logging.disable_progress_bar()
    files = find_encoder()
    model = AutoModel.from_pretrained(files.folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(files.folder)
    parts = []
    for i in range(0, len(texts), BATCH):
        batch = tokenizer(
            texts[i : i + BATCH], padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        with torch.inference_mode():
            states = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).float()
        pooled = (states * mask).sum(1) / mask.sum(1)
        parts.append(torch.nn.functional.normalize(pooled, dim=-1).numpy())
    return np.concatenate(parts)


def cut_passages(folder: Path, n: int) -> list[str]:
    """Return n passages spread over the PDFs of a folder, fewer when there are fewer."""
    jobs = [
        PdfJob(path, document_id=str(i), title=path.stem)
        for i, path in enumerate(sorted(folder.glob("*.pdf")))
    ]
    texts: list[str] = []
    with PdfPool(tokenizer=find_encoder().tokenizer_path) as pool:
        readings = dict(pool.readings(jobs))
    for job in jobs:
        reading = readings[job]
        if isinstance(reading, DocumentReading):
            texts += [r.search_text for r in reading.regions if r.kind == "passage"]
    step = max(1, len(texts) // n)
    return texts[::step][:n]


def timed(call: Callable[[], T]) -> tuple[T, Took]:
    """Return a call's result and what it took."""
    start, processor = time.perf_counter(), time.process_time()
    value = call()
    return value, Took(time.perf_counter() - start, time.process_time() - processor)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
