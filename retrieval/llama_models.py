"""Language models on this machine as LLMs of LlamaIndex: a folder or file, or a local server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import (
    LLM,
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.custom import CustomLLM

from retrieval.query_engine import PromptTooLongError

ANSWER_TOKENS = 400
SERVER_CONTEXT = 4096


class NoLanguageModelError(ValueError):
    """What was given is no language model that can be opened from this disk, or no server."""


class RemoteModelError(ValueError):
    """The server of a language model is not on this machine, and nobody allowed its host."""


class LocalModel(CustomLLM):
    """A causal language model of transformers on this disk, decoded greedily.

    `path` is a folder with safetensors, or a GGUF file (which transformers expands to full size).
    Prompts are counted by its own tokenizer; one that leaves no room for `answer_tokens` in the
    context is refused with `PromptTooLongError`, never cut.
    """

    path: str
    answer_tokens: int = ANSWER_TOKENS
    _model: Any = PrivateAttr()
    _tokenizer: Any = PrivateAttr()

    def __init__(self, path: str | Path, answer_tokens: int = ANSWER_TOKENS, **more: Any) -> None:
        """Raises `NoLanguageModelError`; names of models are not looked up elsewhere."""
        super().__init__(path=str(path), answer_tokens=answer_tokens, **more)
        self._tokenizer, self._model = _opened(Path(path))

    @classmethod
    def class_name(cls) -> str:
        return "LocalModel"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=int(self._model.config.max_position_embeddings),
            num_output=self.answer_tokens,
            is_chat_model=bool(self._tokenizer.chat_template),
            model_name=Path(self.path).name,
        )

    def count_tokens(self, text: str) -> int:
        """The number of tokens of a text."""
        return len(self._tokenizer(text, verbose=False)["input_ids"])

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text=self._generated(self._tokenizer(prompt)["input_ids"]))

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        whole = self.complete(prompt, formatted=formatted, **kwargs)
        return (response for response in (CompletionResponse(text=whole.text, delta=whole.text),))

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        if not self._tokenizer.chat_template:
            prompt = "\n".join(message.content or "" for message in messages)
            text = self._generated(self._tokenizer(prompt)["input_ids"])
        else:
            turns = [{"role": str(m.role.value), "content": m.content or ""} for m in messages]
            shaped = self._tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, tokenize=False
            )
            ids = self._tokenizer(shaped, add_special_tokens=False)["input_ids"]
            text = self._generated(ids)
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text))

    def _generated(self, ids: Sequence[int]) -> str:
        import torch

        window = self.metadata.context_window
        if len(ids) + self.answer_tokens > window:
            raise PromptTooLongError(
                f"a prompt of {len(ids)} tokens and {self.answer_tokens} of answer do not fit into "
                f"the context of {window} tokens"
            )
        asked = torch.tensor([list(ids)], device=self._model.device)
        with torch.inference_mode():
            made = self._model.generate(
                asked,
                attention_mask=torch.ones_like(asked),
                max_new_tokens=self.answer_tokens,
                do_sample=False,
                pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
            )
        text: str = self._tokenizer.decode(made[0, len(ids) :], skip_special_tokens=True)
        return text.strip()


def _opened(path: Path) -> tuple[Any, Any]:
    """The tokenizer and the model in a folder, or in a GGUF file."""
    if path.is_file() and path.suffix == ".gguf":
        folder, options = path.parent, {"gguf_file": path.name}
    elif (path / "config.json").is_file():
        folder, options = path, {}
    else:
        raise NoLanguageModelError(
            f"{path} is neither a folder with config.json nor a .gguf file: expected a language "
            "model of Hugging Face on this disk; models are not looked up by name"
        )
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    weights = {} if options else {"use_safetensors": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, **options
        )
        model = AutoModelForCausalLM.from_pretrained(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            dtype="auto" if torch.cuda.is_available() else torch.float32,
            **options,
            **weights,
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise NoLanguageModelError(f"{path} cannot be opened: {error}") from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return tokenizer, model.eval().to(device)


def open_local(path: Path, answer_tokens: int = ANSWER_TOKENS) -> LocalModel:
    """The language model in a folder or GGUF file; raises `NoLanguageModelError`."""
    return LocalModel(path, answer_tokens)


def token_counter(folder: Path) -> Callable[[str], int]:
    """How many tokens a text has for the tokenizer in a folder."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        raise NoLanguageModelError(f"{folder} holds no tokenizer: {error}") from error
    return lambda text: len(tokenizer(text, verbose=False)["input_ids"])


def on_this_machine(url: str) -> bool:
    """Whether an address is a loopback one.

    >>> on_this_machine("http://127.0.0.1:8080/v1"), on_this_machine("https://example.org/v1")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def open_server(
    url: str,
    *,
    name: str | None = None,
    allowed_host: str | None = None,
    context: int = SERVER_CONTEXT,
    answer_tokens: int = ANSWER_TOKENS,
    api_key: str = "none",
) -> LLM:
    """A language model behind an OpenAI-compatible server, `http://127.0.0.1:8080/v1` for example.

    Unless its host is `allowed_host` it has to be on this machine: raises `RemoteModelError`. No
    proxy of the environment is used, no key of it is sent and no redirect followed. Without a name
    the first model that the server lists is taken; raises `NoLanguageModelError` where it lists
    none or does not answer.
    """
    host = urlsplit(url).hostname
    if not on_this_machine(url) and host != allowed_host:
        raise RemoteModelError(
            f"{url} is not on this machine: the question and the passages would be sent to {host}; "
            "name that host to allow it"
        )
    import httpx
    from llama_index.llms.openai_like import OpenAILike

    client = httpx.Client(trust_env=False, follow_redirects=False, timeout=600.0)
    return OpenAILike(
        model=name or _listed(client, url),
        api_base=url,
        api_key=api_key,
        is_chat_model=True,
        context_window=context,
        max_tokens=answer_tokens,
        temperature=0.0,
        max_retries=1,
        http_client=client,
        async_http_client=httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=600.0),
    )


def _listed(client: Any, url: str) -> str:
    import httpx

    try:
        found = client.get(f"{url.rstrip('/')}/models").raise_for_status().json()
        return str(found["data"][0]["id"])
    except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError) as error:
        raise NoLanguageModelError(
            f"{url} does not list a model ({error}): expected an OpenAI-compatible server, whose "
            "address usually ends with /v1; or give the model's name"
        ) from error
