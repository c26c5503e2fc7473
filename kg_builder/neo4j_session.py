"""How a Neo4j server is reached: address, user and password, and errors that say what to do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import neo4j
from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
LEAST_VERSION = (5, 26)
"""The first whose Cypher takes the type of a relationship from a row."""
_NO_DATABASE = "Neo.ClientError.Database.DatabaseNotFound"
_VARIABLES = ("NEO4J_USERNAME", "NEO4J_PASSWORD")


class CredentialsError(PermissionError):
    """User or password for a Neo4j server are not given, are given in the open, or are wrong."""


class ServerUnavailableError(ConnectionError):
    """No Neo4j server answers at an address."""


class CertificateError(ServerUnavailableError):
    """A server's certificate is not one that this machine trusts, or is another server's."""


class UnknownDatabaseError(LookupError):
    """A server has no database of the name that `NEO4J_DATABASE` gives."""


class ServerVersionError(RuntimeError):
    """A server is older than the Cypher that is sent to it."""


class ServerRefusedError(RuntimeError):
    """A server does not do what it was asked, for a reason of its own, such as a full disk."""


def credentials(environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    """User and password from `NEO4J_USERNAME` and `NEO4J_PASSWORD`."""
    given = os.environ if environment is None else environment
    missing = [name for name in _VARIABLES if not given.get(name)]
    if missing:
        raise CredentialsError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set: "
            "a Neo4j server is opened with the user and password of these variables"
        )
    return given[_VARIABLES[0]], given[_VARIABLES[1]]


def check_address(url: str) -> str:
    """The address, if it is one of a Neo4j server and holds no password."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        known = ", ".join(f"{scheme}://HOST:PORT" for scheme in SCHEMES)
        raise ValueError(f"{url!r} is no address of a Neo4j server; expected one of {known}")
    if parts.username or parts.password:
        raise CredentialsError(
            f"the address of {parts.hostname} holds a user or password, which other users of "
            "this machine can read there: set NEO4J_USERNAME and NEO4J_PASSWORD instead"
        )
    return url


@contextmanager
def named_errors(url: str) -> Iterator[None]:
    """Turn what a driver says of address and password into errors that name the remedy."""
    try:
        yield
    except AuthError as error:
        raise CredentialsError(
            f"{url} refuses the user and password of NEO4J_USERNAME and NEO4J_PASSWORD: {error}"
        ) from error
    except (ServiceUnavailable, SessionExpired) as error:
        raise _unavailable(url, error) from error
    except Neo4jError as error:
        if error.code == _NO_DATABASE:
            raise UnknownDatabaseError(
                f"{url} has no database {database_name()!r}; set NEO4J_DATABASE to one that it "
                "has, or unset it for the server's default"
            ) from error
        raise ServerRefusedError(f"{url} refuses ({error.code}): {error.message}") from error
    except ConfigurationError as error:
        raise ValueError(f"{url} cannot be opened: {error}") from error


def _unavailable(url: str, error: DriverError) -> ServerUnavailableError:
    scheme, _, rest = url.partition("://")
    if "SSLCertVerificationError" in "".join(_said(error)):
        return CertificateError(
            f"the certificate of {url} is not trusted here, or is not for that name; name its "
            "authority's certificate in SSL_CERT_FILE, or, to encrypt without checking who "
            f"answers, use {scheme.removesuffix('+s')}+ssc://{rest}"
        )
    encrypted = "" if "+" in scheme else f"; one that encrypts is {scheme}+s://{rest}"
    return ServerUnavailableError(
        f"no Neo4j server answers at {url}: {error}; start it, or check address and port{encrypted}"
    )


def _said(error: BaseException | None) -> Iterator[str]:
    """What an error says, and those that it came from: a routing driver hides them in a group."""
    if error is not None:
        yield str(error)
        yield from _said(error.__cause__)
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from _said(part)


def connect(url: str, environment: Mapping[str, str] | None = None) -> neo4j.Driver:
    """A driver whose server has answered. The caller closes it.

    Raises `CredentialsError`, `ServerUnavailableError` (`CertificateError`), `ServerVersionError`,
    or `ValueError` for another address.
    """
    check_address(url)
    auth = credentials(environment)
    with named_errors(url):
        driver = neo4j.GraphDatabase.driver(url, auth=auth, notifications_min_severity="OFF")
        try:
            driver.verify_connectivity()
            check_version(url, driver.get_server_info().agent)
        except (DriverError, Neo4jError, ServerVersionError):
            driver.close()
            raise
    return driver


def check_version(url: str, agent: str) -> None:
    """An agent is `Neo4j/5.26.12`; of what is no such name nothing is known, nothing refused."""
    found = re.match(r"Neo4j/(\d+)\.(\d+)", agent)
    if found and (int(found[1]), int(found[2])) < LEAST_VERSION:
        least = ".".join(map(str, LEAST_VERSION))
        raise ServerVersionError(f"{url} is {agent}; medweave needs Neo4j {least} or later")


def database_name() -> str | None:
    """The database that `NEO4J_DATABASE` names, or the server's default."""
    return os.environ.get("NEO4J_DATABASE") or None
