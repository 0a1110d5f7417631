"""One frozen tree of settings: arguments, then `PAGEHOP_*`, then `pagehop.toml`, then defaults.

Nested values are set as `PAGEHOP_INGEST__WORKERS=2` or in a `[ingest]` table of the file.
"""

from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pagehop.errors import ConfigError


class IngestSettings(BaseModel):
    """How documents are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: int = Field(default=0, ge=0)
    """PDF worker processes; 0 means one a core, at most 8."""
    page_timeout_s: float = Field(default=15.0, gt=0)
    """A worker that gives no page for this long is killed and the page skipped."""
    memory_mb: int = Field(default=1024, ge=64)
    """What a worker may use beyond what it needs to start."""
    lock_timeout_s: float = Field(default=10.0, ge=0)
    """How long to wait for another process that writes to the library."""


class EncoderSettings(BaseModel):
    """Which model turns text into vectors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = ""
    """Hub id or folder; empty means the packaged all-MiniLM-L6-v2, or the same by its hub id."""
    backend: str = Field(default="auto", pattern="^(auto|bf16|onnx|fp32)$")
    """auto: bf16 where the processor has it, ONNX Runtime otherwise, then fp32."""
    batch_tokens: int = Field(default=4096, ge=256)
    """Most tokens, padding included, in one batch."""


class PageEncoderSettings(BaseModel):
    """Which model turns pictures of pages into vectors (docs/VISUAL.md)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = ""
    """Hub id or folder; empty keeps the library's own, for a new library none: no visual search."""
    pixels: int = Field(default=1_000_000, ge=10_000, le=20_000_000)
    """Most pixels of a page as it is rendered for the model, which may make it smaller still."""
    batch_pages: int = Field(default=2, ge=1, le=256)
    """Pages of one document that go through the model together; more only pays on a GPU."""
    vectors_per_page: int = Field(default=0, ge=0)
    """Most vectors kept of a page; 0 keeps all. Fewer are smaller and faster, and lose pages."""
    pruning: Literal["drop", "merge"] = "drop"
    """How a page is brought down to so many: `drop` leaves out vectors that another one resembles
    most, `merge` averages those that resemble each other."""


class SearchSettings(BaseModel):
    """How search ranks pages, where a call does not say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fusion: str = "weighted"
    """Strategy of hybrid search, by name (docs/SEARCH.md)."""
    rerank: str = ""
    """Who puts the first hits into a second order: late, cross-encoder:ID_OR_PATH or
    chat:PROVIDER:NAME; empty: nobody."""


class OcrSettings(BaseModel):
    """How pages without a usable text layer are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Literal["rapidocr", "tesseract", "none"] = "rapidocr"
    """Another engine or language reads all scanned pages again at the next `add`."""
    language: str = Field(default="", pattern=r"^[\w+/-]*$")
    """As the engine names it; empty: rapidocr's packaged model (Latin scripts, Chinese, Japanese),
    tesseract's `eng`. E.g. `korean` or `arabic` (rapidocr fetches the model), `deu+eng`."""
    dpi: int = Field(default=200, ge=72, le=400)
    """Pages are rendered at this resolution for the engine; scans of 140 dpi and more that are
    coarser, at their own."""
    threads: int = Field(default=0, ge=0)
    """0 means one a core for rapidocr, and one for tesseract."""
    page_timeout_s: float = Field(default=120.0, gt=0)
    """An engine that does not read a page in this time is ended and the page left unread."""
    memory_mb: int = Field(default=2048, ge=256)
    """Address space the engine may use beyond its models."""


class RunSettings(BaseModel):
    """Defaults of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = "builtin"
    base_url: str = ""
    """Address of an OpenAI-compatible server that serves the model."""
    vision_model: str = ""
    """Who reads pictures for a model that takes only text."""
    grammar: Literal["native", "json", "tags"] = "native"
    """How the model writes tool calls; JSON is taken by itself where a server refuses native."""
    pictures: Literal["auto", "yes", "no"] = "auto"
    """Whether the model is shown pictures; auto: unless its profile or endpoint refuses them."""
    max_prompt_tokens: int = Field(default=0, ge=0)
    """Longer prompts are shortened; 0 is no limit but the endpoint's own."""
    model_timeout_s: float = Field(default=120.0, gt=0)
    retry_wait_s: float = Field(default=0.5, ge=0)
    """Wait before a model call that failed is made again, where the endpoint names no time; twice
    as long each time after."""
    effort: str = Field(default="medium", pattern="^(low|medium|high)$")
    max_steps: int = Field(default=24, ge=1)
    max_tool_calls: int = Field(default=120, ge=1)
    max_seconds: float = Field(default=300.0, gt=0)
    tool_timeout_s: float = Field(default=30.0, gt=0)
    record: bool = True
    """Write each run's events into the library's `runs/`."""
    tokens: bool = False
    """Ask the model's endpoint for token ids and logprobs (vLLM has them), for trainers."""
    raw: bool = False
    """Keep the raw bytes of each request and reply in the record, secrets struck out."""


class Price(BaseModel):
    """Prices of one model, per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Input read from the endpoint's prefix cache; None means as `input`."""
    output: float = Field(ge=0)


class Settings(BaseSettings):
    """The whole tree; frozen, read once a process."""

    model_config = SettingsConfigDict(
        env_prefix="PAGEHOP_",
        env_nested_delimiter="__",
        toml_file="pagehop.toml",
        frozen=True,
        extra="ignore",
    )

    ingest: IngestSettings = IngestSettings()
    encoder: EncoderSettings = EncoderSettings()
    search: SearchSettings = SearchSettings()
    page_encoder: PageEncoderSettings = PageEncoderSettings()
    ocr: OcrSettings = OcrSettings()
    run: RunSettings = RunSettings()
    prices: dict[str, Price] = Field(default_factory=dict)
    """Model name or pattern to price, for the money in `usage`; empty: money is 0."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """Read the settings of this process once.

    Raises:
        ConfigError: A value is out of range; names the setting and what is allowed.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"setting {where} = {first['input']!r}: {first['msg']}; "
            f"set PAGEHOP_{where.replace('.', '__').upper()} or pagehop.toml"
        ) from error
