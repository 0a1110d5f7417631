"""How good is it: question sets, metrics and comparison runs."""
