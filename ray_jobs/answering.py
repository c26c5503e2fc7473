"""Answers written by a language model of the user's, for `medweave ask`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.text import Text

from ray_jobs.options import number_option
from retrieval.passages import Passage, concepts_of

if TYPE_CHECKING:
    from retrieval.query_engine import CitedText
    from retrieval.retriever import GraphRetriever

console = Console(highlight=False)
status = Console(highlight=False, stderr=True)


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Which language model is asked: a path on this disk, or the address of a server."""

    path: Path | None
    url: str | None
    name: str | None
    allowed_host: str | None
    tokenizer: Path | None
    context: int
    answer_tokens: int

    @property
    def asked_for(self) -> bool:
        return self.path is not None or self.url is not None


_OPTIONS = (
    click.option(
        "--model",
        "model_path",
        type=click.Path(exists=True, path_type=Path),
        metavar="PATH",
        help="A language model of Hugging Face on this disk: a folder, or a .gguf file.",
    ),
    click.option(
        "--llm-url",
        metavar="URL",
        help="An OpenAI-compatible server on this machine: http://127.0.0.1:8080/v1.",
    ),
    click.option("--llm-name", metavar="NAME", help="Its model; else the first that it lists."),
    click.option(
        "--llm-host",
        metavar="HOST",
        help="Let the question and the passages leave this machine, to this host alone.",
    ),
    click.option(
        "--llm-tokenizer",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="The server's tokenizer; else a byte counts as a token.",
    ),
    number_option(
        "--llm-context",
        default=4096,
        least=256,
        text="Tokens that the server reads and writes at most.",
    ),
    number_option("--answer-tokens", default=400, text="Tokens of a written answer at most."),
)


def model_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a language model; it is called with `model`."""

    @wraps(command)
    def with_model(
        *args: Any,
        model_path: Path | None,
        llm_url: str | None,
        llm_name: str | None,
        llm_host: str | None,
        llm_tokenizer: Path | None,
        llm_context: int,
        answer_tokens: int,
        **options: Any,
    ) -> None:
        if model_path and llm_url:
            raise click.UsageError("give --model or --llm-url, not both")
        model = LanguageModel(
            model_path, llm_url, llm_name, llm_host, llm_tokenizer, llm_context, answer_tokens
        )
        command(*args, model=model, **options)

    for option in reversed(_OPTIONS):
        option(with_model)
    return with_model


def written(
    model: LanguageModel,
    retriever: GraphRetriever,
    question: str,
    passages: Sequence[Passage],
    as_of: date | None,
) -> CitedText:
    """The answer that a language model writes from passages; what is wrong is a usage error."""
    from openai import OpenAIError

    from retrieval.llama_models import open_local, open_server, token_counter
    from retrieval.query_engine import write_answer

    view = retriever.view(as_of)

    def concepts(text: str) -> Mapping[str, str]:
        return retriever.names((seed.concept_id for seed in view.seeds(text)), as_of)

    try:
        if model.url is None:
            llm, count = open_local(Path(model.path or ""), model.answer_tokens), None
        else:
            llm = open_server(
                model.url,
                name=model.name,
                allowed_host=model.allowed_host,
                context=model.context,
                answer_tokens=model.answer_tokens,
            )
            count = token_counter(model.tokenizer) if model.tokenizer else None
            _tell_where(model, len(passages))
        names = retriever.names(concepts_of(passages), as_of)
        return write_answer(llm, question, passages, names, count=count, concepts_of=concepts)
    except (OSError, ValueError, OpenAIError) as error:
        raise click.ClickException(str(error)) from error


def _tell_where(model: LanguageModel, passages: int) -> None:
    host = urlsplit(model.url or "").hostname
    if model.allowed_host is not None and host == model.allowed_host:
        status.print(f"The question and up to {passages} sentences leave this machine for {host}.")


def answer_row(answer: CitedText) -> dict[str, object]:
    """An answer as data."""
    claims = [asdict(claim) for claim in answer.claims]
    return {"answer": str(answer), "claims": claims, "left_out": answer.left_out}


def print_answer(answer: CitedText) -> None:
    """Print an answer, what is not supported in yellow, and how much of it is."""
    from retrieval.claims import CITED, marked

    for claim in answer.claims:
        style = "" if claim.support == CITED else "yellow"
        console.print(Text(marked([claim]), style), soft_wrap=True)
    if not answer.claims:
        console.print(
            "The language model wrote nothing; the sentences below are what it was given."
        )
    cited = sum(claim.support == CITED for claim in answer.claims)
    console.print(f"{cited} of {len(answer.claims)} claims cite the sentences below.", style="dim")
    if answer.left_out:
        console.print(f"{answer.left_out} of the sentences did not fit and were not given.")
