"""Commands on recorded runs for training: score, export."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pagehop.errors import ConfigError
from pagehop.interfaces import cli_options
from pagehop.interfaces.terminal import FAILED, guarded, print_json, say, warn

if TYPE_CHECKING:
    from pagehop.trajectories.exporters.exporter import ExportReport
    from pagehop.trajectories.rewards.scoring_run import ScoreReport

SHOWN = 5
"""Episodes without a value that are named, with the reason."""


def score(
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder of a recorded run.")
    ] = None,
    reward: Annotated[
        list[str] | None,
        typer.Option(help="Name, with settings: retrieval_ndcg@10, tool_budget(8). Repeatable."),
    ] = None,
    names: Annotated[bool, typer.Option("--list", help="Show the rewards there are.")] = False,
    as_json: cli_options.Json = False,
) -> None:
    """Add rewards to a recorded run; its log is not touched."""
    with guarded():
        if names:
            _print_names(as_json=as_json)
            return
        if directory is None or not reward:
            raise ConfigError("say which run and which reward: pagehop score DIR --reward NAME")
        from pagehop.trajectories.rewards.scoring_run import (  # noqa: PLC0415 - not for `--help`
            score_run,
        )

        reports = score_run(directory, reward)
    if as_json:
        print_json([_as_json(report) for report in reports])
    for report in reports:
        if not as_json:
            _print_report(report)
        for name, reason in report.broken[:SHOWN]:
            warn(f"{report.reward}: episode {name} has no value: {reason}")
    if any(report.broken for report in reports):
        raise typer.Exit(FAILED)


def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a recorded run.")],
    to: Annotated[str, typer.Option(help="Target: trl-sft, rows, atif, ...; wrong ones are told.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write; a folder for atif.")],
    min_reward: Annotated[float | None, typer.Option(help="Least reward.")] = None,
    reward: Annotated[str, typer.Option(help="Which reward, when there are several.")] = "",
    best: Annotated[
        int | None, typer.Option(help="Keep so many of each question, the best first.")
    ] = None,
    as_json: cli_options.Json = False,
) -> None:
    """Write a recorded run in the form that a trainer or viewer reads."""
    with guarded():
        from pagehop.trajectories.exporters.exporting import (  # noqa: PLC0415 - not for `--help`
            export_run,
        )

        report = export_run(directory, to, out, reward=reward, min_reward=min_reward, best=best)
    if as_json:
        print_json(asdict(report) | {"path": str(report.path)})
    else:
        _print_export(report)
    if not report.rows:
        warn(f"nothing was written: {_why_none(report)}")
        raise typer.Exit(FAILED)


def _print_export(report: "ExportReport") -> None:
    if report.rows:
        say(f"{report.rows} rows of {report.episodes} episodes in {report.path}")
    for why, n in report.left_out.items():
        say(f"  left out {n}: {why}")
    for why, n in report.refused.items():
        say(f"  refused {n}: {why}")
    for line in report.loses if report.rows else ():
        say(f"  lost: {line}")


def _why_none(report: "ExportReport") -> str:
    reasons = {**report.left_out, **report.refused}
    if not reasons:
        return "the run has no episode"
    return "; ".join(f"{why} ({n})" for why, n in reasons.items())


def _print_names(*, as_json: bool) -> None:
    from pagehop.trajectories.rewards.catalog import (  # noqa: PLC0415 - not for `--help`
        REWARDS,
        describe,
    )

    if as_json:
        print_json({name: describe(name) for name in REWARDS})
        return
    width = max(map(len, REWARDS))
    for name in REWARDS:
        say(f"{name:<{width}}  {describe(name)}")


def _print_report(report: "ScoreReport") -> None:
    mean = "none" if report.mean is None else f"{report.mean:.3f}"
    say(f"{report.reward}: mean {mean} over {report.scored} of {report.episodes} episodes")
    for name, reason in report.unknown[:SHOWN]:
        say(f"  {name} has no value: {reason}")
    if len(report.unknown) > SHOWN:
        say(f"  and {len(report.unknown) - SHOWN} more without a value")


def _as_json(report: "ScoreReport") -> dict[str, Any]:
    return asdict(report) | {"path": str(report.path)}


COMMANDS: dict[str, Callable[..., None]] = {"score": score, "export": export}
