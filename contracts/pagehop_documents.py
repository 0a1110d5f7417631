"""The plugin that check_verifiers_live.py names: verifiers imports it by this file's name."""

from pagehop.interfaces.training.verifiers_tasks import DocumentHarness, DocumentTaskset

__all__ = ["DocumentHarness", "DocumentTaskset"]
