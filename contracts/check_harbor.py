"""Harbor's own validator takes every ATIF file.

python contracts/check_harbor.py OUT
"""

import sys
from pathlib import Path

from harbor.utils.trajectory_validator import TrajectoryValidator


def main(out: Path) -> None:
    """Validate the files."""
    files = sorted((out / "atif").glob("*.json"))
    assert len(files) == 4, files
    for file in files:
        validator = TrajectoryValidator()
        assert validator.validate(file), validator.errors
    print(f"harbor: {len(files)} trajectories are valid")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
