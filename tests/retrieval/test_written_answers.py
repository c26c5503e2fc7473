"""Answers by real models: a tiny one of transformers, and an OpenAI-compatible local server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ray_jobs.cli import main
from retrieval.llama_models import (
    LocalModel,
    NoLanguageModelError,
    RemoteModelError,
    on_this_machine,
    open_server,
    token_counter,
)
from retrieval.query_engine import ANSWER, PromptTooLongError
from tests.retrieval.language_models import serving, write_tiny_model
from tests.retrieval.worlds import article, build

QUESTION = "Does aspirin prevent stroke?"
SENTENCES = ["Aspirin prevents stroke.", "Aspirin did not prevent stroke."]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> str:
    told = [article(11 + n, sentence) for n, sentence in enumerate(SENTENCES)]
    return build(tmp_path_factory.mktemp("told"), [told])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    seen = [*SENTENCES, ANSWER.format(question=QUESTION, passages="")]
    return write_tiny_model(tmp_path_factory.mktemp("tiny"), seen, chat=True)


def asked(*options: str) -> str:
    done = CliRunner().invoke(main, ["ask", QUESTION, *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_local_model_answers(graph: str, tiny: Path) -> None:
    """Random weights say nothing sensible: what they say is claimed by no article, and marked."""
    options = ["--graph", graph, "--model", str(tiny), "--answer-tokens", "20", "--json"]
    first = json.loads(asked(*options))
    assert {p["pmid"] for p in first["passages"]} == {11, 12}
    assert all(claim["support"] != "cited" for claim in first["claims"])
    assert json.loads(asked(*options)) == first


def test_a_local_model_counts_its_own_tokens(tiny: Path, tmp_path: Path) -> None:
    model = LocalModel(tiny, answer_tokens=5)
    text = "Aspirin prevents stroke."
    assert model.count_tokens(text) == token_counter(tiny)(text) < len(text)
    assert model.metadata.context_window == 1024
    assert model.metadata.is_chat_model
    written = model.complete(text).text
    assert model.complete(text).text == written == next(iter(model.stream_complete(text))).text
    with pytest.raises(PromptTooLongError, match="of answer do not fit into the context of 1024"):
        model.complete("x " * 2000)
    with pytest.raises(NoLanguageModelError, match=r"neither a folder with config\.json"):
        LocalModel(tmp_path)


def test_a_local_server_answers(graph: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy is asked, and no key of the environment is sent."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serving("It does [PMID 11]. It cures colds.") as server:
        told = asked("--graph", graph, "--llm-url", server.url)
    assert "It does. [PMID 11]\n" in told
    assert "It cures colds. (unsupported: no passage is cited)" in told
    assert "1 of 2 claims cite the sentences below." in told
    assert "PMID 12 (2001)" in told
    (request,) = server.asked
    assert request["model"] == "tiny"
    assert QUESTION in request["messages"][-1]["content"]
    assert (
        "[PMID 12] (2001; against: aspirin PREVENTS stroke)" in request["messages"][-1]["content"]
    )
    assert server.keys == ["Bearer none"]


def test_a_small_context_is_kept(graph: str, tiny: Path) -> None:
    """A token is a byte where no tokenizer is given; with one, both passages fit."""
    narrow = ["--llm-context", "600", "--answer-tokens", "50", "--json"]
    with serving("It does [PMID 11].") as server:
        failed = CliRunner().invoke(
            main, ["ask", QUESTION, "--graph", graph, "--llm-url", server.url, *narrow]
        )
        assert failed.exit_code == 1
        assert "do not fit into 486 tokens" in failed.output.replace("\n", " ")
        told = asked(
            "--graph", graph, "--llm-url", server.url, "--llm-tokenizer", str(tiny), *narrow
        )
    assert json.loads(told)["left_out"] == 0


def test_text_stays_on_this_machine(graph: str) -> None:
    for url in ("https://api.openai.com/v1", "http://10.0.0.7:8000/v1", "http://localhost.evil/v1"):
        assert not on_this_machine(url)
        with pytest.raises(RemoteModelError, match="would be sent to"):
            open_server(url, name="any")
    assert all(
        map(on_this_machine, ("http://localhost:1/v1", "http://[::1]:1", "http://127.9.9.9"))
    )
    url = "http://192.0.2.1:9/v1"
    failed = CliRunner().invoke(main, ["ask", QUESTION, "--graph", graph, "--llm-url", url])
    assert failed.exit_code == 1
    assert "192.0.2.1" in failed.output


def test_a_redirect_is_not_followed(graph: str) -> None:
    with (
        serving("It does [PMID 11].") as other,
        serving("", elsewhere=f"{other.url}/chat/completions") as server,
    ):
        failed = CliRunner().invoke(
            main, ["ask", QUESTION, "--graph", graph, "--llm-url", server.url]
        )
    assert failed.exit_code == 1, failed.output
    assert other.asked == []


def test_wrong_use_is_named(graph: str, tmp_path: Path) -> None:
    both = ["--model", str(tmp_path), "--llm-url", "http://127.0.0.1:9/v1"]
    for options, said in (
        (both, "not both"),
        (["--llm-url", "http://127.0.0.1:9/v1"], "does not list a model"),
        (["--model", str(tmp_path)], "config.json"),
    ):
        failed = CliRunner().invoke(main, ["ask", QUESTION, "--graph", graph, *options])
        assert failed.exit_code != 0
        assert said in failed.output.replace("\n", " ")
