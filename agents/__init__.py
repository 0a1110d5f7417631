"""The roles of a run (planner, explorer, summarizer, reflector, answerer, verifier), filled by rules or by a model."""
