"""Open the record of a run: where it goes, and what its manifest says the run was made with."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagehop.interfaces.eyes import eyes_of
from pagehop.interfaces.options import Options
from pagehop.library.view import View

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from pagehop.trajectories.recorder import Recorder


def open_recorder(
    view: View,
    options: Options,
    tools: "Sequence[BaseTool]",
    *,
    purpose: str = "interactive",
    more: Mapping[str, Any] | None = None,
) -> "Recorder":
    """Make the folder of a run and write its manifest; without a record, a sink for nothing.

    Args:
        view: What is asked.
        options: Of the run.
        tools: As its reasoner has them.
        purpose: interactive, eval, train, collect.
        more: Further keys of the manifest, e.g. seeds.
    """
    from pagehop.trajectories.recorder import Recorder, new_run_id, record_run  # noqa: PLC0415 - with the run

    if options.record is False:
        return Recorder(new_run_id(), None)
    manifest, blobs = run_manifest(view, options, tools)
    runs = view.runs_path if options.record is True else Path(options.record).expanduser()
    return record_run(
        runs,
        fallback=state_folder(view),
        manifest={"purpose": purpose, **manifest, **(more or {})},
        blobs=blobs,
    )


def run_manifest(
    view: View, options: Options, tools: "Sequence[BaseTool]"
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what a run is made with, and the texts that it names by their sha256."""
    prompts: dict[str, str] = {}
    blobs: dict[str, bytes] = {}
    models = {"policy": _binding(options.model_name, options.model)}
    if options.vision_model is not None:
        models["vision"] = _binding("", options.vision_model) | {"trainable": False}
    if options.model is not None:
        from pagehop.agents.prompting import (  # noqa: PLC0415 - only with a model
            LOOP_PROMPTS,
            PROMPTS,
            Prompts,
        )

        own = Prompts(options.prompts)
        names = LOOP_PROMPTS if options.graph == "explore" else PROMPTS
        texts = {name: own[name] for name in names} | dict(options.machine.prompts)
        for name, text in texts.items():
            prompts[name] = hashlib.sha256(text.encode()).hexdigest()
            blobs[prompts[name]] = text.encode()
    manifest = {
        "graph": options.graph,
        "constants": options.machine.constants,
        "eyes": eyes_of(options),
        "effort": options.effort,
        "models": models,
        "prompts": prompts,
        "tools": _tools(tools),
        "limits": options.budget.to_json(),
        "library": library_told(view),
        "labels": None if view.labels is None else sorted(view.labels),
    }
    return manifest, blobs


def library_told(view: View) -> dict[str, Any]:
    """Return which library a run read: replays compare it."""
    encoder = view.snapshot.encoder
    return {
        "path": "" if view.runs_path is None else str(view.runs_path.parent),
        "version": view.version,
        "documents": len(view.documents()),
        "corpus_sha256": corpus_sha256(view),
        "encoder": "" if encoder is None else encoder[0],
    }


def corpus_sha256(view: View) -> str:
    """Return the hash of the bytes of all visible documents, whatever their order."""
    return _digest(tuple(sorted(document.id for document in view.documents())))


def state_folder(view: View) -> Path:
    """Return the user's own folder for what cannot be kept beside a library."""
    from platformdirs import user_state_path  # noqa: PLC0415 - only runs need it

    home = "" if view.runs_path is None else str(view.runs_path.parent)
    return user_state_path("pagehop") / "runs" / hashlib.sha256(home.encode()).hexdigest()[:12]


def _binding(name: str, model: object) -> dict[str, Any]:
    if model is None:
        return {"model_id": name, "api_kind": "rules", "trainable": False}
    from pagehop.agents.told_prompts import sampling_of  # noqa: PLC0415 - only with a model
    from pagehop.interfaces.options import name_of  # noqa: PLC0415 - as above

    kind = str(getattr(model, "_llm_type", "chat"))
    url = getattr(model, "openai_api_base", None) or getattr(model, "base_url", None) or ""
    return {
        "model_id": name or name_of(model),  # type: ignore[arg-type]  # a chat model
        "api_kind": kind,
        "base_url": str(url),
        "sampling": sampling_of(model),  # type: ignore[arg-type]  # as above
    }


def _tools(tools: "Sequence[BaseTool]") -> list[dict[str, str]]:
    from pagehop.agents.tool_texts import ToolTexts  # noqa: PLC0415 - loads langchain

    told = []
    for schema in ToolTexts(tools).native("whole"):
        function = schema["function"]
        parameters = _as_json(function.get("parameters", {}))
        text = f"{function['name']}\n{function.get('description', '')}\n{parameters}"
        told.append(
            {
                "name": function["name"],
                "description": function.get("description", ""),
                "parameters_json": parameters,
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            }
        )
    return told


def _as_json(value: object) -> str:

    return json.dumps(value, sort_keys=True, ensure_ascii=False)


@lru_cache(maxsize=8)
def _digest(ids: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()
