"""A real sshd on loopback, with a host key, a configuration and one authorised key of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
PYTHON = f"{shlex.quote(sys.executable)} -P -m dlkit"
"""What runs this dlkit at the other end."""


def missing() -> str:
    """Why there is no sshd to test with; empty: there is."""
    if not Path(SSHD).exists() or not shutil.which("ssh") or not shutil.which("ssh-keygen"):
        return "no sshd, ssh and ssh-keygen here (openssh-server)"
    if os.getuid() == 0 and not Path("/run/sshd").is_dir():  # as its own service makes it
        try:
            Path("/run/sshd").mkdir(mode=0o755)
        except OSError as error:
            return f"/run/sshd cannot be made, which sshd wants: {error}"
    return ""


class Sshd:
    """``ssh`` are the words that reach it, without any of the person's own configuration."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder, self.port = folder, _free_port()
        for name in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True, timeout=60
            )
        shutil.copy(folder / "user.pub", folder / "authorized")
        (folder / "authorized").chmod(0o600)
        key = (folder / "host.pub").read_text().split()
        (folder / "known").write_text(f"[127.0.0.1]:{self.port} {key[0]} {key[1]}\n")
        (folder / "config").write_text(
            f"Port {self.port}\nUserKnownHostsFile {folder}/known\nGlobalKnownHostsFile /dev/null\n"
            f"IdentityFile {folder}/user\nIdentitiesOnly yes\nIdentityAgent none\n"
        )
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/pid\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 100\n"
            "AcceptEnv DLKIT_* PYTHON* OMP_* COVERAGE_*\nUseDNS no\nPrintMotd no\nLogLevel ERROR\n"
        )
        self.ssh = f"ssh -F {shlex.quote(str(folder / 'config'))}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")], stdin=subprocess.DEVNULL, stderr=log
            )
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        pytest.fail(f"sshd does not answer: {(self.folder / 'log').read_text()}")

    def stop(self) -> None:
        """The listening process and all that it serves: as when the machine goes."""
        if self._process is None:
            return
        self.drop()
        self._process.terminate()
        self._process.wait(30)
        self._process = None

    def drop(self) -> None:
        """End all connections, and what runs at their ends; what was detached from them goes on."""
        import psutil

        assert self._process is not None
        for child in psutil.Process(self._process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
