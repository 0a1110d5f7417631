"""Load the chat model that a user names, and say what it can take.

    load_chat_model("openai:gpt-5-mini")
    load_chat_model("qwen3-8b", base_url="http://localhost:8000/v1")    # any compatible server
    load_chat_model("transformers:Qwen/Qwen3-4B")                       # weights on this machine

A client's own retries are switched off: `chat_calls.call_chat` decides when to try again.
"""

import os
import re
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr, ValidationError

from pagehop.errors import ConfigError
from pagehop.models.chat_errors import SECRET

LOCAL_PREFIX = "transformers:"
PLACEHOLDER_KEY = "not-needed"
KEY_VARIABLES = {
    "anthropic": "ANTHROPIC_API_KEY",
    "azure_openai": "AZURE_OPENAI_API_KEY",
    "cohere": "COHERE_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "fireworks": "FIREWORKS_API_KEY",
    "google_genai": "GOOGLE_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistralai": "MISTRAL_API_KEY",
    "nvidia": "NVIDIA_API_KEY",
    "openai": "OPENAI_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "perplexity": "PPLX_API_KEY",
    "together": "TOGETHER_API_KEY",
    "xai": "XAI_API_KEY",
}
KEYLESS = ("bedrock", "bedrock_converse", "google_vertexai", "huggingface", "litellm", "ollama")
OTHER_WAYS = {"ANTHROPIC_BASE_URL", "ANTHROPIC_API_URL", "ANTHROPIC_CUSTOM_HEADERS"}
"""With one of these set, a client without a key may be right."""
PROVIDERS = tuple(sorted((*KEY_VARIABLES, *KEYLESS)))
"""Those of `init_chat_model` that are named in errors; others it knows work too."""


def load_chat_model(
    model: str | BaseChatModel, *, base_url: str = "", timeout_s: float = 60.0, **options: Any
) -> BaseChatModel:
    """Make a chat model from its name; one that is made already passes through.

    Args:
        model: `provider:name` as `init_chat_model` takes it, a name the provider of which is known
            from it, `transformers:ID_OR_PATH`, or a model.
        base_url: The server to ask; a name without provider then means an OpenAI-compatible one.
        timeout_s: Limit that the client keeps for one request.
        options: For the model's constructor, e.g. `temperature`, `max_tokens`, `api_key`.

    Raises:
        ConfigError: The name, its package or its key is missing; says what to install or set.
    """
    if isinstance(model, BaseChatModel):
        return model
    if not model.strip():
        raise ConfigError("the model has no name; write provider:name, e.g. openai:gpt-5-mini")
    if model.startswith(LOCAL_PREFIX):
        return _load_local(model.removeprefix(LOCAL_PREFIX), options)
    provider, name = _split(model, base_url)
    options = {"timeout": timeout_s, "max_retries": 0, **options}
    if base_url:
        options["base_url"] = base_url
    if provider == "openai":
        options.setdefault("stream_usage", True)  # off by default where base_url is set
        if base_url and "api_key" not in options and not os.environ.get("OPENAI_API_KEY"):
            options["api_key"] = PLACEHOLDER_KEY
    return _init(provider, name, options)


def takes_pictures(model: BaseChatModel) -> bool | None:
    """Tell whether a model reads pictures; None when nobody knows before it is tried."""
    known = (model.profile or {}).get("image_inputs")
    return known if isinstance(known, bool) else None


def context_tokens(model: BaseChatModel) -> int | None:
    """Return the most tokens a prompt may have; None when it is not known."""
    known = (model.profile or {}).get("max_input_tokens")
    return known if isinstance(known, int) else None


def _load_local(name: str, options: dict[str, Any]) -> BaseChatModel:
    from pagehop.models.transformers_chat import TransformersChat  # noqa: PLC0415 - loads late

    if not name:
        raise ConfigError(
            "the model 'transformers:' has no name; write transformers:ID_OR_PATH, "
            "e.g. transformers:Qwen/Qwen3-4B"
        )
    chat = TransformersChat(model=name, **options)
    chat.check()
    return chat


def _split(model: str, base_url: str) -> tuple[str, str]:
    """Return provider, empty when `init_chat_model` is to tell it from the name, and name."""
    head, colon, rest = model.partition(":")
    provider = head.replace("-", "_").lower()
    if colon and rest and provider in PROVIDERS:
        return provider, rest
    if base_url and model:
        return "openai", model  # local names often hold a colon, e.g. `qwen3:8b`
    return "", model


def _openai(name: str, options: dict[str, Any]) -> BaseChatModel:
    try:
        from pagehop.models.openai_chat import OpenAIChat, client_per_loop  # noqa: PLC0415 - loads openai
    except ImportError as error:
        raise ImportError("pip install langchain-openai") from error
    return OpenAIChat(model=name, **{"http_async_client": client_per_loop(), **options})


def _init(provider: str, name: str, options: dict[str, Any]) -> BaseChatModel:
    from langchain.chat_models import init_chat_model  # noqa: PLC0415 - slow to import

    try:
        if provider == "openai":
            return _openai(name, options)
        made: BaseChatModel = init_chat_model(name, model_provider=provider or None, **options)
    except ImportError as error:
        package = error.msg.rpartition("pip install ")[2].strip("`. ") or f"langchain-{provider}"
        extra = " (or `pip install 'pagehop[openai]'`)" if package == "langchain-openai" else ""
        raise ConfigError(
            f"the model {_full(provider, name)} needs a package: `pip install {package}`{extra}"
        ) from error
    except Exception as error:  # each provider's client raises its own class for a missing key
        raise _config_error(provider, name, error) from None  # its text may show what was given
    asked_elsewhere = (
        options.keys() & {"base_url", "default_headers"} or OTHER_WAYS & os.environ.keys()
    )
    if _lacks_key(made) and not asked_elsewhere:
        variables = ", ".join(made.lc_secrets.values())
        raise _config_error(provider, name, ValueError(f"no api_key: {variables}"))
    return made


def _lacks_key(model: BaseChatModel) -> bool:
    """Say whether a client was made without the key that it takes: Anthropic's asks nobody."""
    fields = type(model).model_fields.items()
    keys = [getattr(model, name) for name, field in fields if field.alias == "api_key"]
    return any(isinstance(key, SecretStr) and not key.get_secret_value() for key in keys)


def _config_error(provider: str, name: str, error: Exception) -> ConfigError:
    text, full = _reason(error), _full(provider, name)
    if "infer model provider" in text or "Unsupported provider" in text:
        return ConfigError(
            f"no provider is known for the model {full!r}; write provider:name with one of "
            f"{', '.join(PROVIDERS)}; or transformers:ID_OR_PATH, or builtin; or give base_url "
            "for an OpenAI-compatible server"
        )
    if any(word in text.lower() for word in ("api_key", "api key", "credential", "access token")):
        variable = KEY_VARIABLES.get(provider) or _variable_in(text) or "the provider's key"
        return ConfigError(
            f"the model {full} needs a key: set {variable}, "
            "or give base_url for a server of your own that needs none"
        )
    return ConfigError(f"the model {full} cannot be made: {text}")


def _variable_in(text: str) -> str:
    found = re.search(r"\b[A-Z][A-Z_]+_(API_)?KEY\b", text)
    return found[0] if found else ""


def _reason(error: Exception) -> str:
    """Return what is wrong, without the values given: they may be keys."""
    if isinstance(error, ValidationError):
        parts = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return SECRET.sub("***", "; ".join(parts))
    return SECRET.sub("***", str(error))


def _full(provider: str, name: str) -> str:
    return SECRET.sub("***", f"{provider}:{name}" if provider else name)
