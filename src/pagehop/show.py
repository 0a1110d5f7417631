"""How hits, citations and answers show themselves in a notebook: HTML with their crops."""
