"""How a Neo4j server is reached: address, user and password, and errors that say what to do."""

from __future__ import annotations

import os
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
)

SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
_VARIABLES = ("NEO4J_USERNAME", "NEO4J_PASSWORD")


class CredentialsError(PermissionError):
    """User or password for a Neo4j server are not given, are given in the open, or are wrong."""


class ServerUnavailableError(ConnectionError):
    """No Neo4j server answers at an address."""


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
    except ServiceUnavailable as error:
        raise ServerUnavailableError(
            f"no Neo4j server answers at {url}: {error}; start it, or check address and port"
        ) from error
    except ConfigurationError as error:
        raise ValueError(f"{url} cannot be opened: {error}") from error


def connect(url: str, environment: Mapping[str, str] | None = None) -> neo4j.Driver:
    """A driver whose server has answered. The caller closes it.

    Raises `CredentialsError`, `ServerUnavailableError`, or `ValueError` for another address.
    """
    check_address(url)
    auth = credentials(environment)
    with named_errors(url):
        driver = neo4j.GraphDatabase.driver(url, auth=auth, notifications_min_severity="OFF")
        try:
            driver.verify_connectivity()
        except (DriverError, Neo4jError):
            driver.close()
            raise
    return driver


def database_name() -> str | None:
    """The database that `NEO4J_DATABASE` names, or the server's default."""
    return os.environ.get("NEO4J_DATABASE") or None
