"""Loading chat models by name, what is known of them, and what calls cost."""

from pathlib import Path
from typing import Any

import pytest

from pagehop.answers import Usage
from pagehop.errors import ConfigError
from pagehop.models.chat_models import context_tokens, load_chat_model, takes_pictures
from pagehop.models.prices import Prices
from pagehop.models.scripted import ScriptedModel
from pagehop.models.stub_endpoint import StubEndpoint, scripted
from pagehop.settings import Price, load_settings

KEY = "sk-test-0123456789abcdef"
LOCAL = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_a_model_passes_through() -> None:
    model = ScriptedModel(replies=[])
    assert load_chat_model(model) is model


@pytest.mark.parametrize("name", ["qwen3-8b", "qwen3:8b", "openai:qwen3", "org/name"])
def test_a_base_url_needs_neither_provider_nor_key(name: str) -> None:
    with StubEndpoint(scripted(["In Bergen."])) as stub:
        assert load_chat_model(name, base_url=stub.base_url).invoke("?").text == "In Bergen."
        assert stub.requests[0]["model"] == name.removeprefix("openai:")


def test_the_clients_own_retries_are_off_and_streams_report_usage() -> None:
    model = load_chat_model("openai:gpt-5-mini", api_key=KEY, timeout_s=7)
    assert vars(model)["max_retries"] == 0
    assert vars(model)["request_timeout"] == 7
    assert vars(model)["stream_usage"] is True


@pytest.mark.parametrize("name", ["openai:gpt-5-mini", "gpt-5-mini"])
def test_a_missing_key_names_its_variable(name: str) -> None:
    with pytest.raises(ConfigError, match="set OPENAI_API_KEY"):
        load_chat_model(name)


@pytest.mark.parametrize("name", ["anthropic:claude-x", "claude-x"])
def test_a_missing_key_is_told_where_the_client_would_ask_without(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("langchain_anthropic", reason="langchain_anthropic is not installed")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="set ANTHROPIC_API_KEY"):
        load_chat_model(name)
    assert load_chat_model(name, api_key=KEY)


@pytest.mark.parametrize("name", ["mistralai:mistral-x", "mistral-x"])
def test_a_missing_package_names_its_install(name: str) -> None:
    with pytest.raises(ConfigError, match="pip install langchain-mistralai"):
        load_chat_model(name)


@pytest.mark.parametrize("name", ["foo:bar", "nonsense"])
def test_an_unknown_provider_names_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError, match=r"provider:name with one of anthropic, .*openai"):
        load_chat_model(name)


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="has no name"):
        load_chat_model(" ", base_url=LOCAL)


@pytest.mark.parametrize("option", ["temperature", "max_tokens"])
def test_a_wrong_option_is_named_without_any_key(option: str) -> None:
    with pytest.raises(ConfigError, match=option) as failed:
        options: dict[str, Any] = {option: "hot"}
        load_chat_model("openai:gpt-4o", api_key=KEY, **options)
    assert KEY not in str(failed.value)
    assert failed.value.__cause__ is None


def test_a_key_given_as_a_name_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as failed:
        load_chat_model(KEY)
    assert KEY not in str(failed.value)


def test_what_a_model_takes_comes_from_its_profile() -> None:
    known = load_chat_model("openai:gpt-5-mini", api_key=KEY)
    assert takes_pictures(known) is True
    assert (context_tokens(known) or 0) > 100_000
    unknown = load_chat_model("qwen3", base_url=LOCAL)
    assert takes_pictures(unknown) is None
    assert context_tokens(unknown) is None


USAGE = Usage(input_tokens=1000, cached_tokens=400, output_tokens=100)


def test_the_most_specific_price_counts() -> None:
    table = {
        "gpt*": Price(input=100, output=100),
        "GPT-5*": Price(input=2, cached=1, output=10),
        "*": Price(input=1000, output=1000),
    }
    prices = Prices(table)
    assert prices.cost("gpt-5-mini", USAGE) == pytest.approx((600 * 2 + 400 + 100 * 10) / 1e6)
    assert prices.cost("gpt-4", USAGE) == pytest.approx(1100 * 100 / 1e6)


def test_the_served_name_is_asked_when_the_requested_one_has_no_price() -> None:
    prices = Prices({"gpt-5-*": Price(input=2, output=0)})
    assert prices.cost("deployment-7", USAGE, served="gpt-5-2026") == pytest.approx(0.002)
    assert prices.cost("deployment-7", USAGE) == 0


def test_prices_come_from_environment_or_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pagehop.toml").write_text('[prices."a-*"]\ninput = 1.0\noutput = 2.0\n')
    monkeypatch.setenv("PAGEHOP_PRICES", '{"b": {"input": 3, "cached": 1, "output": 4}}')
    load_settings.cache_clear()
    try:
        prices = Prices.from_settings()
    finally:
        load_settings.cache_clear()
    assert prices.find("a-1") == Price(input=1, output=2)
    assert prices.find("b") == Price(input=3, cached=1, output=4)
    assert prices.find("c") is None


def test_a_wrong_price_names_the_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAGEHOP_PRICES", '{"b": {"input": -3, "output": 4}}')
    load_settings.cache_clear()
    try:
        with pytest.raises(ConfigError, match=r"prices\.b\.input"):
            Prices.from_settings()
    finally:
        load_settings.cache_clear()
