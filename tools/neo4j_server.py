"""A Neo4j community server without Docker: jars by Maven, one process, loopback only.

`python tools/neo4j_server.py HOME` starts a server in that folder, prints its address and the
password's variable, and runs until it is interrupted. The tests start theirs by `Neo4jServer`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

POM = Path(__file__).parent / "neo4j" / "pom.xml"
OPENED = (
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
)
ADMIN = "org.neo4j.server.startup.Neo4jAdminCommand"
SERVER = "org.neo4j.server.CommunityEntryPoint"
USERNAME = "neo4j"


def missing_tools() -> list[str]:
    """Of `java` and `mvn`, those that are not on the path."""
    return [tool for tool in ("java", "mvn") if shutil.which(tool) is None]


def resolve_jars(directory: Path) -> Path:
    """The folder of the server's jars, resolved by Maven on the first call (about a minute)."""
    lib = directory / "lib"
    complete = directory / "lib.complete"
    if complete.exists() and complete.read_bytes() == POM.read_bytes():
        return lib
    shutil.rmtree(lib, ignore_errors=True)
    subprocess.run(
        [
            "mvn",
            "-q",
            "-f",
            str(POM),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={lib.resolve()}",
        ],
        check=True,
    )
    complete.write_bytes(POM.read_bytes())
    return lib


def free_port() -> int:
    """A port of the loopback address that nothing listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Neo4jServer:
    """One server process and its folder; `password` is made anew for each folder.

    With `certificate`, a folder that holds `private.key` and `public.crt`, it answers encrypted
    connections alone.
    """

    lib: Path
    home: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_hex(12))
    heap: str = "1g"
    java_options: tuple[str, ...] = ()
    certificate: Path | None = None
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The Bolt address; of an encrypted server one that takes any certificate."""
        return f"{'bolt+ssc' if self.certificate else 'bolt'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process that runs."""
        assert self._process is not None
        return self._process.pid

    def _java(self, *arguments: str) -> list[str]:
        memory = f"-Xmx{self.heap}"
        return ["java", memory, *self.java_options, *OPENED, "-cp", f"{self.lib}/*", *arguments]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "NEO4J_HOME": str(self.home), "NEO4J_CONF": str(self.home / "conf")}

    def prepare(self) -> None:
        """Write the settings, and set the password of a folder that has no database yet."""
        conf = self.home / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        (conf / "neo4j.conf").write_text(
            f"""server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{self.port}
server.http.enabled=false
server.https.enabled=false
dbms.usage_report.enabled=false
# LOAD CSV may read neither the server's files nor any address, whatever the access mode.
dbms.security.allow_csv_import_from_file_urls=false
internal.dbms.cypher_ip_blocklist=0.0.0.0/0,::/0
{self._encryption()}""",
            encoding="utf-8",
        )
        if not (self.home / "data").exists():
            self.admin("dbms", "set-initial-password", self.password)

    def _encryption(self) -> str:
        if self.certificate is None:
            return ""
        return f"""dbms.ssl.policy.bolt.enabled=true
dbms.ssl.policy.bolt.base_directory={self.certificate}
server.bolt.tls_level=REQUIRED
"""

    def admin(self, *arguments: str) -> str:
        """What `neo4j-admin` prints with these arguments on this folder; no server may run there.

        Raises `RuntimeError` with what it printed where it fails.
        """
        done = subprocess.run(
            self._java(ADMIN, *arguments),
            env=self._environment(),
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            command = " ".join(arguments[:3])
            raise RuntimeError(f"neo4j-admin {command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def import_files(self, folder: Path) -> str:
        """Replace the database by the files of `medweave export --format neo4j-import`."""
        options = (folder / "import.txt").read_text(encoding="utf-8").split()
        placed = [
            f"{name}={folder / path}" if path.endswith(".csv") else f"{name}={path}"
            for name, _, path in (option.rpartition("=") for option in options)
        ]
        report = f"--report-file={self.home / 'import.report'}"
        replace = "--overwrite-destination"
        return self.admin("database", "import", "full", "neo4j", report, replace, *placed)

    def start(self, wait_seconds: float = 300) -> None:
        """Start the process and wait until a driver can connect; `TimeoutError` where it cannot."""
        self.prepare()
        with (self.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._java(SERVER, f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}"),
                env=self._environment(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        try:
            self._wait(wait_seconds)
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def _wait(self, seconds: float) -> None:
        from neo4j import GraphDatabase
        from neo4j.exceptions import DriverError, Neo4jError

        assert self._process is not None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                with GraphDatabase.driver(self.url, auth=(USERNAME, self.password)) as driver:
                    driver.verify_connectivity()
                return
            except (DriverError, Neo4jError):
                time.sleep(0.5)
        log = (self.home / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:]
        raise TimeoutError(f"the Neo4j server in {self.home} did not come up; its log ends: {log}")

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """End the process (`SIGKILL` for a crash) and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(signal_number)
            self._process.wait()
            self._process = None


def main() -> None:
    """Run a server in the folder that the first argument names until it is interrupted."""
    if missing := missing_tools():
        sys.exit(
            f"make neo4j needs {' and '.join(missing)}: "
            "apt-get install openjdk-17-jre-headless maven (or your system's packages)"
        )
    home = Path(sys.argv[1]).resolve()
    home.mkdir(parents=True, exist_ok=True)
    secret = home / "password"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(12), encoding="utf-8")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = Neo4jServer(resolve_jars(home), home / "server", password=secret.read_text("utf-8"))
    server.start()
    print(f"Neo4j is ready at {server.url}\n")
    print(f"  export NEO4J_USERNAME={USERNAME} NEO4J_PASSWORD=$(cat {secret})")
    print(f"  medweave publish --graph DIR --store {server.url}\n")
    print("Ctrl-C stops it; its data stay in", server.home)
    try:
        signal.pause()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
