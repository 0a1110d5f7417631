"""What happened in a run: the event record on disk, for people and for reinforcement learning."""
