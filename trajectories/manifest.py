"""What a run was made with: the file `run.json` of its folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = "pagehop-trajectory/1.0"


@dataclass(frozen=True)
class ModelBinding:
    """A model and how it was reached."""

    model_id: str
    api_kind: str = ""
    """rules, chat, completions, scripted."""
    revision: str = ""
    base_url: str = ""
    tokenizer_sha256: str = ""
    chat_template_sha256: str = ""
    logprobs_mode: str = "unknown"
    """raw, processed, unknown: whether temperature and top-p are in the logprobs."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    trainable: bool = True


@dataclass(frozen=True)
class RunManifest:
    """What a run was made with."""

    run_id: str
    schema_version: str = SCHEMA
    created_at: float = 0.0
    purpose: str = "interactive"
    """eval, train, collect, interactive."""
    code: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, ModelBinding] = field(default_factory=dict)
    """By role: policy, vision, judge."""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """sha256 of each prompt's text, by its name; the texts are blobs."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """name, description, parameters_json (a string), sha256."""
    library: Mapping[str, Any] = field(default_factory=dict)
    """path, version, sha256, encoder."""
    labels: tuple[str, ...] | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    seeds: Mapping[str, Any] = field(default_factory=dict)
    graph: str = ""
    effort: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Keys that this release does not know."""

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "RunManifest":
        """Read a manifest; what is missing is empty, what is unknown goes to `more`."""
        known = {name: value for name, value in record.items() if name in cls.__annotations__}
        models = known.get("models") or {}
        bindings = ModelBinding.__annotations__
        known["models"] = {
            role: ModelBinding(**{k: v for k, v in model.items() if k in bindings})
            for role, model in models.items()
        }
        tools = known.get("tools") or ()
        known["tools"] = tuple(t if isinstance(t, Mapping) else {"name": t} for t in tools)
        if known.get("labels") is not None:
            known["labels"] = tuple(known["labels"])
        known["more"] = {k: v for k, v in record.items() if k not in cls.__annotations__}
        return cls(**known)
