"""Encrypted connections to a real server whose certificate the test made itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from kg_builder.ladybug_store import LadybugStore
from kg_builder.model import Edge
from kg_builder.neo4j_publish import publish
from kg_builder.neo4j_session import CertificateError, ServerUnavailableError
from kg_builder.store import open_store
from ray_jobs.cli import main
from tests.conftest import QUICK_TO_START, running
from tests.contracts.snapshots import write_hashed
from tests.kg_builder.neo4j_databases import CONCEPTS, many
from tools.neo4j_server import Neo4jServer

NAMED = "localhost"
"""The one name that the certificate is for."""


def write_certificate(folder: Path) -> Path:
    """A self-signed certificate and its key, as the server reads them; returns the certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMED)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAMED)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True)
    (folder / "private.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    path = folder / "public.crt"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(scope="module")
def encrypted(neo4j_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A server that answers encrypted connections alone."""
    home = tmp_path_factory.mktemp("encrypted")
    write_certificate(home / "certificate")
    server = Neo4jServer(
        neo4j_jars,
        home / "server",
        heap="512m",
        java_options=QUICK_TO_START,
        certificate=home / "certificate",
    )
    with running(server):
        yield server


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hashed(many(range(1, 4)), tmp_path_factory.mktemp("graph") / "graph")


@pytest.mark.parametrize("scheme", ["bolt+ssc", "neo4j+ssc"])
def test_encryption_without_checking_who_answers(
    encrypted: Neo4jServer, graph: Path, scheme: str
) -> None:
    url = f"{scheme}://127.0.0.1:{encrypted.port}"
    digest = LadybugStore(graph).digest
    assert publish(graph, url).digest == digest
    store = open_store(url)
    assert store.stats().digest == digest
    store.close()


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s"])
def test_a_certificate_that_is_not_trusted_is_named(encrypted: Neo4jServer, scheme: str) -> None:
    url = f"{scheme}://localhost:{encrypted.port}"
    with pytest.raises(CertificateError, match=rf"SSL_CERT_FILE.*{scheme[:-2]}\+ssc://localhost"):
        open_store(url)


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s"])
def test_a_certificate_that_is_trusted_and_names_the_host(
    encrypted: Neo4jServer, graph: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert encrypted.certificate is not None
    publish(graph, encrypted.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(encrypted.certificate / "public.crt"))
    store = open_store(f"{scheme}://localhost:{encrypted.port}")
    assert store.stats().digest == LadybugStore(graph).digest
    store.close()


def test_a_trusted_certificate_of_another_name_is_refused(
    encrypted: Neo4jServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert encrypted.certificate is not None
    monkeypatch.setenv("SSL_CERT_FILE", str(encrypted.certificate / "public.crt"))
    with pytest.raises(CertificateError, match="not for that name"):
        open_store(f"bolt+s://127.0.0.1:{encrypted.port}")


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_a_connection_in_the_open_is_refused(encrypted: Neo4jServer, scheme: str) -> None:
    with pytest.raises(ServerUnavailableError, match=rf"encrypts is {scheme}\+s://"):
        open_store(f"{scheme}://127.0.0.1:{encrypted.port}")


@pytest.fixture
def edge(graph: Path) -> Edge:
    return LadybugStore(graph).edges([concept.id for concept in CONCEPTS])[0]


def output(*words: str) -> str:
    """What a command prints; it must succeed."""
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return done.output


def test_every_reading_command_answers_as_from_the_directory(
    encrypted: Neo4jServer, graph: Path, edge: Edge, tmp_path: Path
) -> None:
    url = f"neo4j+ssc://localhost:{encrypted.port}"
    publish(graph, url)
    subject, object_ = edge.subject_id, edge.object_id
    for words in (
        ["search", "thing 3", "--json"],
        ["neighbors", subject, "--json"],
        ["neighbors", subject, "--as-of", "2010", "--json"],
        ["evidence", subject, object_, "--json"],
        ["path", subject, object_, "--json"],
        ["stats", "--json"],
        ["digest", "--verify"],
    ):
        assert output(*words, "--graph", url) == output(*words, "--graph", str(graph))
    folders = [tmp_path / name for name in ("directory", "server")]
    for where, out in zip((str(graph), url), folders, strict=True):
        output("export", "--format", "kgx", "--graph", where, "--out", str(out))
    ours, theirs = ({p.name: p.read_bytes() for p in out.iterdir()} for out in folders)
    assert ours == theirs
    output("draw", subject, "--graph", url, "--out", str(tmp_path / "drawn"))
    query = "MATCH (c:Concept) RETURN c.id AS id ORDER BY id"
    rows = json.loads(output("cypher", query, "--json", "--graph", url))
    assert [row["id"] for row in rows] == list(LadybugStore(graph).concept_ids())


def test_commands_that_need_the_ledger_say_so(encrypted: Neo4jServer) -> None:
    for words in (["diff", "2000", "2010"], ["failures"], ["snapshots", "list"], ["update"]):
        done = CliRunner().invoke(main, [*words, "--graph", encrypted.url])
        assert done.exit_code == 2
        assert "give the directory" in " ".join(done.output.split())
