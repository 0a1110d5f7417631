"""`datasets` loads each file, and no schema or argument gains a null key.

python contracts/check_datasets.py OUT
"""

import json
import sys
from pathlib import Path

from datasets import load_dataset


def main(out: Path) -> None:
    """Load the files and look for what Arrow would have padded."""
    for name in ("sft.jsonl", "dpo.jsonl", "kto.jsonl", "grpo.jsonl", "openai.jsonl"):
        rows = load_dataset("json", data_files=str(out / name), split="train")
        assert len(rows)
    for name in ("rl.parquet", "verl_sft.parquet", "rows.parquet", "tokens.parquet"):
        rows = load_dataset("parquet", data_files=str(out / name), split="train")
        assert len(rows)
        assert not [key for row in rows for key in nulls(row)], name
    row = load_dataset("json", data_files=str(out / "sft.jsonl"), split="train")[0]
    (tool,) = json.loads(row["tools"])
    assert set(tool["function"]["parameters"]["properties"]) == {"query"}
    called = row["completion"][0]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(called) == {"query": "revenue"}
    print("datasets: nine files, no null key in parquet, schemas and arguments as written")


def nulls(value: object, path: str = "") -> list[str]:
    """Return where a null stands inside a struct."""
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in nulls(v, f"{path}.{k}")]
    if isinstance(value, list):
        return [p for v in value for p in nulls(v, f"{path}[]")]
    return [path] if value is None and "." in path.lstrip(".") else []


if __name__ == "__main__":
    main(Path(sys.argv[1]))
