"""What a reasoning model may call: one tool a file, read-only, bound to one view."""
