"""The API server gets a certificate of another authority: nothing is written to whom nobody trusts, and no restart is needed."""

import os
import time
from pathlib import Path

import pytest

from cluster.processes import wait_until

from .wire import Stage

FAILED = ("TLSFailed", "the server's certificate is not trusted", "certificate-authority")


@pytest.fixture(scope="module")
def place(wire_plane, tmp_path_factory):
    return wire_plane, tmp_path_factory.mktemp("wire-trust")


def replace(file: Path, content: bytes) -> None:
    """At one moment, as the kubelet and careful administrators do."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(content)
    os.replace(fresh, file)


@pytest.mark.together
def test_a_new_authority(place, tmp_path_factory):
    """Told, at a bounded rate, until the file is replaced; then the same process goes on where it was."""
    ca_file = tmp_path_factory.mktemp("authority") / "ca.crt"
    with Stage(*place, ca_file=ca_file, stream=True) as stage:
        stage.start()
        kept = stage.create()
        stage.wait_shown(kept)
        pid = stage.controller.daemon.pid
        new = stage.proxy.issue()
        stage.proxy.cut()
        began = time.monotonic()
        stage.wait_logged(*FAILED)
        made = stage.create()
        stage.edit(kept)
        wait_until("a while of it", lambda: stage.logged(*FAILED) >= 6, 40)
        assert stage.logged("TLSFailed") / (time.monotonic() - began) < 5, stage.tail()
        assert stage.proxy.requests(began) == [] and stage.get(made)["status"]["observedGeneration"] == -1
        replace(ca_file, new.read_bytes())
        stage.wait_shown(made, 40)
        stage.wait_shown(kept)
        stage.works()
        assert stage.controller.daemon.pid == pid and stage.controller.daemon.alive()


@pytest.mark.together
def test_both_authorities_for_a_while(place, tmp_path_factory):
    """The file names the new one before the server does, as clusters rotate: nobody is told of a failure."""
    ca_file = tmp_path_factory.mktemp("authorities") / "ca.crt"
    with Stage(*place, ca_file=ca_file, stream=True) as stage:
        stage.start()
        stage.works()
        old = ca_file.read_bytes()
        new = stage.proxy.issue().read_bytes()
        replace(ca_file, old + new)
        stage.proxy.cut()
        stage.works()
        assert stage.logged("TLSFailed") == 0, stage.tail()
        stage.proxy.cut()
        replace(ca_file, new)  # the old one is withdrawn
        stage.works()
        assert stage.logged("TLSFailed") == 0, stage.tail()
