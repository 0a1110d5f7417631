"""The roles of a run (planner, explorer, ..., verifier), filled by rules or by a model."""
