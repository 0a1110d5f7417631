"""Sample token ids with a model that is in memory: one that a trainer holds and changes.

    TokenChat(model_name="policy", tokenizer=tokenizer, engine=WeightsEngine(model, config))

One prompt at a time, in a thread of its own. Logprobs are those of the sampled ids under the
temperature of sampling, before top-k and top-p, as TRL's trainers compute them.
Not covered: batches, weights that are sharded over several devices.
"""

import asyncio
import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pagehop.models.token_chat import Sampled


class WeightsEngine:
    """A `TokenEngine` over weights in memory."""

    def __init__(self, model: Any, config: Any) -> None:
        """Take what to sample with.

        Args:
            model: Of transformers; it may be trained between two samples, never during one.
            config: A `GenerationConfig`: temperature, top-p, longest reply, ids that end it.
        """
        self._model = model
        self._config = copy.deepcopy(config)
        self._config.return_dict_in_generate = True
        self._config.output_logits = True
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="policy")

    async def sample(
        self, prompt: Sequence[int], *, stop: Sequence[str], seed: int | None
    ) -> Sampled:
        """Return what follows on the ids of a prompt; stop words and seeds are not taken."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self._sampled, list(prompt))

    def _sampled(self, prompt: list[int]) -> Sampled:
        import torch  # noqa: PLC0415 - takes seconds to import

        ids = torch.tensor([prompt], device=self._model.device)  # (1, n)
        with torch.no_grad():
            out = self._model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=self._config
            )
        said = out.sequences[0, len(prompt) :]  # (m,)
        logits = torch.stack(out.logits, dim=1)[0].float()  # (m, vocabulary)
        temperature = self._config.temperature or 1.0
        logprobs = torch.log_softmax(logits / temperature, dim=-1)
        chosen = logprobs.gather(1, said[:, None])[:, 0]
        ends = self._config.eos_token_id
        ended = int(said[-1]) in (ends if isinstance(ends, list) else [ends])
        return Sampled(
            tuple(said.tolist()),
            tuple(chosen.tolist()),
            finish_reason="stop" if ended else "length",
        )
