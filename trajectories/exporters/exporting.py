"""Export a run: choose episodes, make rows, write the file, report what was left out and lost."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from pagehop.errors import ConfigError, LibraryError
from pagehop.trajectories.exporters.atif import ATIF
from pagehop.trajectories.exporters.exporter import Exporter, ExportReport, Job, Refused, Row, count
from pagehop.trajectories.exporters.inspect_log import INSPECT
from pagehop.trajectories.exporters.openai import OPENAI
from pagehop.trajectories.exporters.otel import OTEL
from pagehop.trajectories.exporters.prompt_sets import TRL_GRPO, VERL_RL
from pagehop.trajectories.exporters.rows import ROWS
from pagehop.trajectories.exporters.selection import select
from pagehop.trajectories.exporters.sharegpt import SHAREGPT
from pagehop.trajectories.exporters.trl_pairs import TRL_DPO, TRL_KTO
from pagehop.trajectories.exporters.trl_sft import TRL_SFT, TRL_TOKENS
from pagehop.trajectories.exporters.trl_vision import TRL_VISION
from pagehop.trajectories.exporters.verifiers_traces import VERIFIERS
from pagehop.trajectories.exporters.verl_sft import VERL_SFT
from pagehop.trajectories.reading import read_run

EXPORTERS: dict[str, Exporter] = {
    one.name: one
    for one in (
        TRL_SFT, TRL_TOKENS, TRL_VISION, TRL_DPO, TRL_KTO, TRL_GRPO, VERL_RL, VERL_SFT, ROWS,
        OPENAI, SHAREGPT, ATIF, VERIFIERS, INSPECT, OTEL,
    )
}  # fmt: skip


def export_run(
    folder: str | Path,
    to: str,
    out: str | Path,
    *,
    reward: str = "",
    min_reward: float | None = None,
    best: int | None = None,
) -> ExportReport:
    """Write the episodes of a run in the form of a target.

    Nothing is written when no row remains.

    Args:
        folder: Of the run.
        to: Name of the target.
        out: File to write, or a folder for `atif`; its ending chooses between JSON lines and
            parquet where a target has both.
        reward: Name of the reward that chooses; may be left out when the run has one.
        min_reward: Least reward.
        best: Keep so many of each group, the best first.

    Raises:
        ConfigError: There is no such target, the file's ending is not one of it, or choosing needs
            a reward that the run has not.
        LibraryError: The folder is no record of a run, or the file cannot be written.
    """
    exporter = EXPORTERS.get(to)
    if exporter is None:
        raise ConfigError(f"there is no target {to!r}; there are {', '.join(EXPORTERS)}")
    if best is not None and best < 1:
        raise ConfigError(f"best = {best}: keep at least 1 of a group")
    out = Path(out).expanduser()
    if exporter.suffixes and out.suffix not in exporter.suffixes:
        ways = " or ".join(exporter.suffixes)
        raise ConfigError(f"{to} is written to a file that ends in {ways}, not {out.name!r}")
    run = read_run(folder)
    samples, left_out = select(run, reward=reward, min_reward=min_reward, best=best)
    job = Job(run, samples, out, reward)
    rows: list[Row] = []
    refused: list[Refused] = []
    for one in exporter.rows(job):
        if isinstance(one, Refused):
            refused.append(one)
        else:
            rows.append(one)
    if rows:
        _write(exporter, job, rows)
    return ExportReport(
        target=to,
        path=out,
        rows=len(rows),
        episodes=len(samples),
        left_out=left_out,
        refused=count(refused),
        loses=exporter.loses,
    )


def _write(exporter: Exporter, job: Job, rows: Sequence[Row]) -> None:
    try:
        job.out.parent.mkdir(parents=True, exist_ok=True)
        if exporter.suffixes and exporter.name != INSPECT.name:
            draft = job.out.with_name(f".{job.out.name}.{os.getpid()}")
            try:
                (_parquet if job.out.suffix == ".parquet" else _lines)(draft, rows)
                draft.rename(job.out)
            finally:
                draft.unlink(missing_ok=True)
        if exporter.finish is not None:
            exporter.finish(job, rows)
    except OSError as error:
        raise LibraryError(f"{job.out} cannot be written: {error.strerror or error}") from error


def _lines(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def _parquet(path: Path, rows: Sequence[Row]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only here
    import pyarrow.parquet as pq  # noqa: PLC0415 - only here

    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)
