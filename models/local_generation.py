"""Weights and tokenizer of a local chat model, and one generation at a time on them.

A model that reads pictures has a processor beside its tokenizer (`picture_processing.py`).

1. Loaded on first use, from the hub or a folder; on the GPU when there is one.
2. One worker thread a model is its lock: concurrent calls queue there and never block an event
   loop; a call that was given up stops at the next token, or never starts.
3. Token ids are kept exactly as they went in and came out.

Not covered: videos, several prompts in one batch, models that need remote code.
"""

import copy
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any, Literal, Self

from pagehop.errors import (
    CallFailed,
    ConfigError,
    ContextOverflow,
    PicturesUnsupported,
    ToolsUnsupported,
)
from pagehop.models.picture_processing import load_processor, reads_pictures

Finish = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True)
class Sampling:
    """How to generate."""

    max_new_tokens: int
    temperature: float | None = None
    """0 is greedy; None is what the model's own generation config says."""
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Generated:
    """What came out."""

    prompt_ids: list[int]
    completion_ids: list[int]
    text_raw: str
    """Special tokens kept, stop words kept."""
    finish: Finish
    image_tokens: tuple[int, ...] = ()
    """Of each picture of the prompt, in order; empty where they cannot be told apart."""


@dataclass
class Job:
    """One generation: what to do, and the way to give it up."""

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]]
    sampling: Sampling
    template_options: Mapping[str, Any] = field(default_factory=dict)
    on_text: Callable[[str], None] | None = None
    """Called on the worker thread with each piece of text."""
    given_up: threading.Event = field(default_factory=threading.Event)
    special_tokens: Sequence[str] = ()
    """Of the tokenizer; known once the generation runs."""


class LocalWeights:
    """A model on this machine; copies are the same object."""

    def __init__(self, name: str, device: str = "auto", dtype: str = "auto") -> None:
        """Remember what to load.

        Args:
            name: Hub id or folder.
            device: `auto`, or as torch names it.
            dtype: `auto` takes the checkpoint's own, except half precision on a CPU.
        """
        self.name = name
        self._device = device
        self._dtype = dtype
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="local-model")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def submit(self, job: Job) -> Future[Generated]:
        """Queue a generation."""
        return self._worker.submit(self._run, job)

    @cached_property
    def config(self) -> Any:
        """Configuration of the checkpoint.

        Raises:
            ConfigError: There is no such model.
        """
        from transformers import AutoConfig  # noqa: PLC0415 - takes a second to import

        return self._load(AutoConfig.from_pretrained)

    @property
    def context_tokens(self) -> int | None:
        """The most tokens of prompt and reply together; None when the checkpoint is silent."""
        text = self.config.get_text_config()
        found = getattr(text, "max_position_embeddings", None)
        return found if isinstance(found, int) else None

    @cached_property
    def takes_pictures(self) -> bool:
        """Whether the checkpoint reads pictures."""
        return reads_pictures(self.config)

    @cached_property
    def processor(self) -> Any:
        """What turns pictures and text into tensors; only for a checkpoint that takes pictures.

        Raises:
            ConfigError: It cannot be made; says what is missing.
        """
        return self._load(lambda name: load_processor(name, self.config.model_type))

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer with its chat template."""
        from transformers import AutoTokenizer  # noqa: PLC0415 - takes a second to import

        if self.takes_pictures:
            tokenizer = self.processor.tokenizer
            tokenizer.chat_template = self.processor.chat_template
        else:
            tokenizer = self._load(AutoTokenizer.from_pretrained)
        if not tokenizer.chat_template:
            raise ConfigError(
                f"the model {self.name!r} has no chat template: take its instruct or chat version"
            )
        return tokenizer

    @cached_property
    def weights(self) -> Any:
        """The model, ready to generate."""
        import torch  # noqa: PLC0415 - takes seconds to import
        import transformers  # noqa: PLC0415 - likewise

        of_text, of_pictures = "AutoModelForCausalLM", "AutoModelForImageTextToText"
        kind: Any = getattr(transformers, of_pictures if self.takes_pictures else of_text)
        device = self._device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        model = self._load(kind.from_pretrained, dtype=self._dtype)
        if device == "cpu" and model.dtype == torch.float16:
            model = model.to(torch.bfloat16)  # half precision has no fast path on processors
        return model.to(device).eval()

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] = (),
        options: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the model's inputs for a prompt, by the chat template: `input_ids` (1, n), others.

        Raises:
            ToolsUnsupported: The template has no place for tools.
            PicturesUnsupported: There are pictures, and the checkpoint takes none.
            CallFailed: The template refuses the messages.
        """
        pictures = [block["image"] for block in _blocks(messages) if block["type"] == "image"]
        if pictures and not self.takes_pictures:
            raise PicturesUnsupported(
                f"{self.name} takes no pictures: set vision_model to a model that does"
            )
        if not self.takes_pictures:
            messages = [{**m, "content": _text(m["content"])} for m in messages]
        text = self._templated(messages, tools, options or {})
        if not pictures:
            made = self.tokenizer(text, add_special_tokens=False, return_tensors="pt")
        else:
            # A list for each prompt: some processors take the pictures of one only so.
            made = self.processor(
                text=[text], images=[pictures], add_special_tokens=False, return_tensors="pt"
            )
        return {name: values.to(self.weights.device) for name, values in made.items()}

    def _templated(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        options: Mapping[str, Any],
    ) -> str:
        from jinja2 import TemplateError  # noqa: PLC0415 - comes with transformers

        template = self.tokenizer.get_chat_template(tools=list(tools) or None)
        if tools and "tools" not in template:
            raise ToolsUnsupported(
                f"the chat template of {self.name} has no place for tools: use another model, "
                "or JSON actions"
            )
        given = {"tools": list(tools) or None, "add_generation_prompt": True, **options}
        for attempt in (list(messages), merged(messages)):
            try:
                text: str = self.tokenizer.apply_chat_template(attempt, tokenize=False, **given)
            except TemplateError as error:
                refusal = error
                continue
            return text
        raise CallFailed(
            f"the chat template of {self.name} refuses the messages: {refusal}", kind="request"
        ) from refusal

    def _load(self, how: Callable[..., Any], **options: Any) -> Any:
        try:
            return how(self.name, **options)
        except (OSError, ValueError, KeyError, ImportError) as error:
            reason = " ".join(str(error).split())[:300]
            raise ConfigError(
                f"the model {self.name!r} cannot be loaded: {reason}; give a hub id or the folder "
                "of a chat model (transformers:ID_OR_PATH); a gated one needs HF_TOKEN"
            ) from error

    def _run(self, job: Job) -> Generated:
        import torch  # noqa: PLC0415 - takes seconds to import

        if job.given_up.is_set():
            return Generated([], [], "", "cancelled")
        job.special_tokens = tuple(self.tokenizer.all_special_tokens)
        prompt = self.render(job.messages, job.tools, job.template_options)
        ids: list[int] = prompt["input_ids"][0].tolist()
        room = self._room(len(ids))
        options = self._options(job, room)
        cuda = [self.weights.device] if self.weights.device.type == "cuda" else []
        with torch.inference_mode(), torch.random.fork_rng(devices=cuda):
            if job.sampling.seed is not None:
                torch.manual_seed(job.sampling.seed)
            try:
                out = self.weights.generate(**prompt, **options)
            except torch.OutOfMemoryError as error:
                raise ContextOverflow(
                    f"a prompt of {len(ids)} tokens is too long for the memory of {self.name}'s "
                    "device: send less"
                ) from error
        written = out[0, len(ids) :].tolist()
        full = len(written) >= options["generation_config"].max_new_tokens
        finish: Finish = "length" if full and not self._ends(written, job) else "stop"
        if job.given_up.is_set():
            finish = "cancelled"
        counts = self._image_tokens(ids, job)
        return Generated(ids, written, self._decode(written), finish, counts)

    def _image_tokens(self, ids: Sequence[int], job: Job) -> tuple[int, ...]:
        """Count the placeholders of each picture: a run of them, or all when there is one."""
        pictures = sum(block["type"] == "image" for block in _blocks(job.messages))
        mark = getattr(self.config, "image_token_id", None)
        if not pictures or mark is None:
            return ()
        runs = [len(list(run)) for token, run in groupby(ids) if token == mark]
        if pictures == 1:
            return (sum(runs),)
        return tuple(runs) if len(runs) == pictures else ()

    def _room(self, prompt: int) -> int:
        limit = self.context_tokens
        if limit is not None and prompt >= limit:
            raise ContextOverflow(
                f"the prompt has {prompt} tokens and {self.name} takes {limit}: send less"
            )
        return 10**9 if limit is None else limit - prompt

    def _options(self, job: Job, room: int) -> dict[str, Any]:
        import torch  # noqa: PLC0415 - takes seconds to import
        from transformers import StoppingCriteriaList, TextStreamer  # noqa: PLC0415 - likewise

        sampling = job.sampling
        config = copy.deepcopy(self.weights.generation_config)
        config.max_length = None
        config.max_new_tokens = min(sampling.max_new_tokens, room)
        if sampling.temperature is not None:
            config.do_sample = sampling.temperature > 0
            config.temperature = sampling.temperature or None
            if not sampling.temperature:
                config.top_p = config.top_k = None  # they belong to sampling
        if sampling.top_p is not None:
            config.top_p = sampling.top_p
        if config.pad_token_id is None:
            config.pad_token_id = self.tokenizer.pad_token_id or self.tokenizer.eos_token_id
        if config.eos_token_id is None:
            config.eos_token_id = self.tokenizer.eos_token_id

        def given_up(ids: Any, scores: Any, **_: Any) -> Any:
            return ids.new_full((ids.shape[0],), job.given_up.is_set(), dtype=torch.bool)

        options: dict[str, Any] = {
            "generation_config": config,
            "stopping_criteria": StoppingCriteriaList([given_up]),
        }
        if sampling.stop:
            options |= {"stop_strings": list(sampling.stop), "tokenizer": self.tokenizer}
        if job.on_text is not None:
            on_text = job.on_text

            class Streamer(TextStreamer):
                def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
                    if text:
                        on_text(text)

            options["streamer"] = Streamer(
                self.tokenizer, skip_prompt=True, clean_up_tokenization_spaces=False
            )
        return options

    def _ends(self, written: list[int], job: Job) -> bool:
        eos = self.weights.generation_config.eos_token_id or self.tokenizer.eos_token_id
        ends = eos if isinstance(eos, list) else [eos]
        return written[-1] in ends or any(
            stop in self._decode(written) for stop in job.sampling.stop
        )

    def _decode(self, ids: list[int]) -> str:
        text: str = self.tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        return text


def _blocks(messages: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for message in messages:
        if not isinstance(message["content"], str):
            yield from message["content"]


def _text(content: str | Sequence[Mapping[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block["type"] == "text")


def merged(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Join the system text to the first user message, and what one role says in a row.

    For templates that know no system role or insist on turns.
    """
    turns: list[dict[str, Any]] = []
    for message in messages:
        turn = dict(message)
        if turn["role"] == "system":
            turn["role"] = "user"
        if turns and turn["role"] == turns[-1]["role"] == "user":
            before, added = turns[-1]["content"], turn["content"]
            gap = "\n\n" if isinstance(before, str) else [{"type": "text", "text": "\n\n"}]
            turns[-1]["content"] = before + gap + added
        else:
            turns.append(turn)
    return turns
