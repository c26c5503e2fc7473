"""Language models for tests: one that says what it was told to, a tiny real one, a local server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from llama_index.core.bridge.pydantic import Field
from llama_index.core.llms import CompletionResponse, CompletionResponseGen, LLMMetadata
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.llms.custom import CustomLLM

from tests.tiny_models import write_random_llama


class ScriptedLLM(CustomLLM):
    """Gives its answers in turn, the last one again and again; `asked` are the prompts."""

    answers: list[str]
    asked: list[str] = Field(default_factory=list)
    window: int = 4096
    output: int = 100

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=self.window, num_output=self.output)

    def count_tokens(self, text: str) -> int:
        """A word is a token."""
        return len(text.split())

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        self.asked.append(prompt)
        return CompletionResponse(text=self.answers[min(len(self.asked), len(self.answers)) - 1])

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        raise NotImplementedError


def write_tiny_model(folder: Path, texts: Sequence[str], *, chat: bool) -> Path:
    """A Llama with random weights, and a tokenizer trained on some texts."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(texts, 400, special_tokens=["<s>", "</s>"], show_progress=False)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._tokenizer, bos_token="<s>", eos_token="</s>"
    )
    if chat:
        fast.chat_template = (
            "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}<s>assistant:"
        )
    return write_random_llama(folder, fast)


class _Handler(BaseHTTPRequestHandler):
    """Speaks as much of OpenAI's protocol as a local server does."""

    server: LocalServer

    def do_GET(self) -> None:
        self._say({"object": "list", "data": [{"id": "tiny", "object": "model"}]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(json.loads(body))
        self.server.keys.append(self.headers.get("Authorization", ""))
        if self.server.elsewhere:
            self.send_response(307)
            self.send_header("Location", self.server.elsewhere)
            self.end_headers()
            return
        message = {"role": "assistant", "content": self.server.answer}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._say({"id": "1", "object": "chat.completion", "model": "tiny", "choices": [choice]})

    def _say(self, value: object) -> None:
        text = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


class LocalServer(ThreadingHTTPServer):
    """Answers every chat with `answer`, or sends it `elsewhere`; keeps what it was asked."""

    def __init__(self, answer: str, elsewhere: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.elsewhere = answer, elsewhere
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


@contextmanager
def serving(answer: str, elsewhere: str = "") -> Iterator[LocalServer]:
    """A server on the loopback address while it is needed."""
    with LocalServer(answer, elsewhere) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
