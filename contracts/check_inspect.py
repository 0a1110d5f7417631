"""inspect-ai reads the log.

python contracts/check_inspect.py OUT
"""

import sys
from pathlib import Path

from inspect_ai.log import read_eval_log


def main(out: Path) -> None:
    """Read samples, messages and scores."""
    log = read_eval_log(str(out / "log.json"))
    assert log.samples is not None and len(log.samples) == 4
    scores = sorted(sample.scores["answer_em"].value for sample in log.samples)
    assert scores == [0.0, 0.0, 1.0, 1.0], scores
    assert [m.role for m in log.samples[0].messages] == [
        "system", "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    print("inspect: 4 samples with messages, tool calls and scores")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
