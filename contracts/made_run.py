"""Write a small recorded run and its exports: what the checks beside this file read.

    python contracts/made_run.py OUT

Two questions with two episodes each, by a model that calls a tool and is scored; token ids are the
bytes of what was said, so that any check can decode them.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from made_episodes import Tale
from pagehop.trajectories.exporters.exporting import export_run
from pagehop.trajectories.recorder import Recorder
from pagehop.trajectories.rewards.scoring_run import score_run

ASK = "What was revenue in 2022?"
CALL = {"id": "c1", "name": "keyword_search", "arguments": {"query": "revenue"}}
TOOL = {
    "name": "keyword_search",
    "description": "Find pages by words.",
    "parameters_json": json.dumps(
        {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    ),
}
RESULT = "acme:2 Revenue was 455.9 million."
FILES = {
    "trl-sft": "sft.jsonl", "trl-tokens": "tokens.parquet", "trl-dpo": "dpo.jsonl",
    "trl-kto": "kto.jsonl", "trl-grpo": "grpo.jsonl", "verl-rl": "rl.parquet",
    "verl-sft": "verl_sft.parquet", "rows": "rows.parquet", "openai": "openai.jsonl",
    "sharegpt": "sharegpt.jsonl", "atif": "atif", "verifiers": "traces.jsonl",
    "inspect": "log.json", "otel": "spans.jsonl",
}  # fmt: skip


def tell(group: int, index: int, answer: str) -> Tale:
    """Tell one episode: a search, then an answer."""
    tale = Tale(
        ASK,
        episode_id=f"q{group}-{index}",
        gold_answers=["455.9 million"],
        gold_pages=["acme:2"],
        group_id=f"q{group}",
        rollout_index=index,
        group_size=2,
    )
    asked = [{"role": "system", "content": "Look it up."}, {"role": "human", "content": ASK}]
    prompt = list(f"Look it up.{ASK}{group}".encode())
    said, result, last = list(b"I search."), list(RESULT.encode()), list(answer.encode())
    begin = {"tools_sha256": "schemas", "model": "tiny"}
    first = tale.say(
        asked, "I search.", tool_calls=[CALL], begin=begin,
        tokens={"delta_ids": prompt, "completion_ids": said, "logprobs": [-0.5] * len(said)},
    )  # fmt: skip
    tale.search("revenue", ["acme:2"], text=RESULT)
    told = [
        {"role": "ai", "content": "I search.", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "name": "keyword_search", "content": RESULT},
    ]
    tokens = {"after": first, "same": len(prompt), "delta_ids": said + result}
    tokens |= {"completion_ids": last, "logprobs": [-0.25] * len(last)}
    tale.say(told, answer, same=2, begin=begin, tokens=tokens)
    tale.end("answered", answer, cited=["acme:2"])
    return tale


def main(out: Path) -> None:
    """Write the run and every export of it."""
    run = out / "run"
    (run / "events").mkdir(parents=True)
    header = {"run_id": "made", "schema_version": "pagehop-trajectory/1.0", "tools": [TOOL]}
    (run / "run.json").write_text(json.dumps(header))
    with Recorder("made", run) as recorder:
        for group in range(2):
            for index, answer in enumerate(["455.9 million", "412.6 million"]):
                for event in tell(group, index, answer).events:
                    recorder(event)
    score_run(run, ["answer_em"])
    for target, name in FILES.items():
        report = export_run(run, target, out / name)
        print(f"{target}: {report.rows} rows, refused {dict(report.refused)}")
        if not report.rows:
            sys.exit(f"{target} gave no row")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
