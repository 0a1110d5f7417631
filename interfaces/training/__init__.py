"""Live training: pagehop's machine or tools inside another project's trainer, one file each.

`episodes.py` runs and scores an episode with the policy that a trainer gives; the other modules are
imported only by those who train with that project. docs/TRAINING.md says how far each was tried.
"""
