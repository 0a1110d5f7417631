"""The prompts, one flat Markdown file each."""
