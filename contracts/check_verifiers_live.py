"""verifiers evaluates pagehop's taskset with pagehop's harness, against a local endpoint.

    python contracts/check_verifiers_live.py

The endpoint plays each role by rules (`pagehop.evaluation.stand_in`), so that whole episodes run.
What verifiers writes to disk is read again and compared with pagehop's own record of the same runs.
"""

import asyncio
import json
import os
import tempfile
from pathlib import Path

import verifiers.v1 as vf
from verifiers.v1.cli.eval.runner import run_eval
from verifiers.v1.configs.cli.eval import EvalConfig

from pagehop.evaluation.stand_in import stand_in
from pagehop.library.library import Library
from pagehop.models.stub_endpoint import StubEndpoint
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.segments import segments

EXAMPLES = Path(__file__).parent.parent / "examples"
QUESTIONS = 3
SAMPLES = 2


def main(scratch: Path) -> None:
    """Evaluate, and compare the traces with the record."""
    library = Library(scratch / "library")
    library.add(EXAMPLES / "documents")
    os.environ["STUB_KEY"] = "none-is-needed"
    with StubEndpoint(stand_in()) as stub:
        episodes = asyncio.run(run_eval(config(scratch, stub.base_url)))
    assert len(episodes) == QUESTIONS * SAMPLES
    recorded = {one.episode_id: one for one in read_run(scratch / "record").episodes}
    assert len(recorded) == len(episodes)
    lines = next(scratch.rglob("traces.jsonl")).read_text().splitlines()
    assert len(lines) == len(episodes)
    branches = 0
    for line in lines:
        (trace,) = vf.WireEpisode.model_validate(json.loads(line)).traces
        assert trace.ok and not trace.errors, trace.errors
        told = trace.info["pagehop"]
        episode = recorded.pop(told["episode_id"])
        assert trace.rewards["document_reward"].score == told["reward"] is not None
        assert trace.metrics["answered"] == float(episode.status == "answered")
        assert len(trace.calls) == len(episode.calls)
        said = [node.message.content or "" for node in trace.nodes if node.sampled]
        assert said == [episode.message(call.message).text for call in episode.calls]
        assert len(trace.branches) == len(segments(episode)), len(trace.branches)
        branches += len(trace.branches)
    rewards = [episode.traces[0].rewards["document_reward"].score for episode in episodes]
    assert any(rewards) and not recorded
    mean = sum(rewards) / len(rewards)
    print(
        f"verifiers: {len(lines)} episodes of {QUESTIONS} tasks through the harness, {branches} "
        f"branches as pagehop's segments, every reply as recorded; mean reward {mean:.2f}"
    )


def config(scratch: Path, base_url: str) -> EvalConfig:
    """Return the run's configuration, as the command line would make it."""
    harness = {
        "id": "pagehop_documents", "library": scratch / "library", "out": scratch / "record",
        "max_steps": 4,
    }  # fmt: skip
    taskset = {"id": "pagehop_documents", "questions": EXAMPLES / "questions.jsonl"}
    agent = {"harness": harness, "runtime": {"type": "subprocess"}}
    return EvalConfig.model_validate(
        {
            "env": {"taskset": taskset, "agent": agent},
            "model": "stub",
            "client": {"type": "eval", "base_url": base_url, "api_key_var": "STUB_KEY"},
            "select": {"limit": QUESTIONS},
            "num_rollouts": SAMPLES,
            "output_dir": scratch / "evals",
            "push": False,
            "rich": None,
        }
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
