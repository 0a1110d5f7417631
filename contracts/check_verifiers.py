"""verifiers reads the traces, rebuilds each branch's tokens, and writes them again unchanged.

python contracts/check_verifiers.py OUT
"""

import json
import sys
from pathlib import Path

import verifiers.v1 as vf

GOLD = "455.9 million"


def main(out: Path) -> None:
    """Read every line, look at its branches, and write it again."""
    lines = (out / "traces.jsonl").read_text().splitlines()
    assert len(lines) == 4, len(lines)
    for line in lines:
        episode = vf.WireEpisode.model_validate(json.loads(line))
        (trace,) = episode.traces
        (branch,) = trace.branches
        sampled = bytes(
            token
            for node in branch.nodes
            for token, kept in zip(node.token_ids, node.mask, strict=True)
            if kept
        ).decode()
        assert sampled.startswith("I search.") and sampled.endswith("million"), sampled
        assert trace.rewards["answer_em"].score == float(sampled.endswith(GOLD))
        again = vf.WireEpisode.model_validate(episode.to_record())
        nodes = zip(again.traces[0].nodes, trace.nodes, strict=True)
        assert all(a.token_ids == b.token_ids and a.mask == b.mask for a, b in nodes)
    print(f"verifiers: {len(lines)} episodes, tokens and masks as sampled, round trip equal")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
