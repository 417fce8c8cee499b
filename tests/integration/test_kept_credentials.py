"""The last-known-good credentials over the life of a key: replaced, lost, and a file that somebody changed."""

import os
import sqlite3
import subprocess
from contextlib import closing

import pytest

from cluster.processes import wait_until

from . import system as sys_
from .leaving import (begin, furnish, kept, left, made, new_key, on_disk, own_system, secrets_of, wait_blocked, wait_gone,
                      wait_kept, write_keys)
from .system import SECRETS, assert_no_secret

DATABASE = "kept"


class Keys:
    """One controller after another on the same audit database, each with the keys it is given."""

    def __init__(self, system, work):
        self.system, self.work, self.controller = system, work, None

    def start(self, key=None, *old):
        arguments = ["--encryption-key-file", str(write_keys(self.work / "key", key))] if key else []
        if old:
            arguments += ["--encryption-old-key-file", str(write_keys(self.work / "old", *old))]
        self.controller = self.system.controller = sys_.Controller(self.system.plane, self.work, *arguments).start()

    def stop(self):
        if self.controller is not None:
            self.controller.stop()
            assert_no_secret(self.controller.log_text(), "the controller's log")

    def restart(self, *keys):
        self.stop()
        self.start(*keys)

    def sql(self, statement, *values):
        """Changes the file behind the controller's back, while none runs."""
        with closing(sqlite3.connect(self.controller.audit)) as file, file:
            assert file.execute(statement, values).rowcount == 1

    def key_ids(self, namespace):
        return {key_id for _, _, key_id in kept(self.system, namespace)}


@pytest.fixture(scope="module")
def own(oracle56, tmp_path_factory):
    with own_system(oracle56, tmp_path_factory.mktemp("kept")) as system:
        oracle56.execute(f"CREATE DATABASE {DATABASE}")
        yield system


@pytest.fixture
def keys(own, tmp_path):
    made_here = Keys(own, tmp_path)
    yield made_here
    made_here.stop()


def stream(system, *namespaces):
    """A TableSync that streams, with its credentials kept, in each namespace; namespace -> its objects."""
    for namespace in namespaces:
        furnish(system, namespace)
        begin(system, namespace, DATABASE, "Delete")
    for namespace in namespaces:
        system.wait_ready("one", 120, namespace)
        wait_kept(system, namespace)
    return {namespace: made(system, namespace) for namespace in namespaces}


def lose_secrets(system, *namespaces):
    for namespace in namespaces:
        system.plane.kubectl("delete", "secrets", "--all", "-n", namespace)


def start_delete(system, *namespaces):
    for namespace in namespaces:
        system.plane.kubectl("delete", "tablesync", "one", "-n", namespace, "--wait=false")


def wait_condition(system, namespace, status, reason):
    """CredentialsKept of connection rw; returns its message."""
    return system.wait_condition("rw", "CredentialsKept", status, reason, namespace=namespace,
                                 resource="databaseconnection")["message"]


def test_a_new_key_takes_over(own, keys):
    """Rows of the old key are encrypted anew at the start; later the old key is not needed any more."""
    one, two = new_key(), new_key()
    keys.start(one)
    objects = stream(own, "rotated")["rotated"]
    before = keys.key_ids("rotated")
    assert len(before) == 1
    lose_secrets(own, "rotated")
    keys.restart(two, one)
    wait_until("the rows have the new key", lambda: keys.key_ids("rotated").isdisjoint(before), 30)
    keys.restart(two)
    start_delete(own, "rotated")
    wait_gone(own, "rotated", 60)
    assert left(own, objects) == set()
    wait_until("nothing is kept", lambda: kept(own, "rotated") == [], 30)


def test_what_cannot_be_read_is_told(own, keys):
    """Another key, a row cut off, rows swapped: each in words of its own, in the status of connection and deletion; the
    old key, or the Secrets, end it."""
    one, two = new_key(), new_key()
    keys.start(one)
    objects = stream(own, "lost-key", "cut-row", "swapped")
    (key_id,) = keys.key_ids("lost-key")
    lose_secrets(own, *objects)
    keys.stop()
    keys.sql("UPDATE kept_credentials SET ciphertext = substr(ciphertext, 1, 100) WHERE ns = 'cut-row' AND name = 'rw'")
    with closing(sqlite3.connect(keys.controller.audit)) as file:
        (row,) = file.execute("SELECT key_id, nonce, ciphertext, size_bytes FROM kept_credentials"
                              " WHERE ns = 'swapped' AND name = 'warehouse'").fetchall()
    keys.sql("UPDATE kept_credentials SET key_id = ?, nonce = ?, ciphertext = ?, size_bytes = ?"
             " WHERE ns = 'swapped' AND name = 'rw'", *row)
    keys.start(two)
    message = wait_condition(own, "lost-key", "False", "Unreadable")
    assert key_id in message and "--encryption-old-key-file" in message, message
    start_delete(own, *objects)
    wait_blocked(own, "lost-key", "there is no Secret 'lost-key/rw'", f"key {key_id}", "--encryption-old-key-file")
    wait_blocked(own, "cut-row", "there is no Secret 'cut-row/rw'", "are cut off: 112 of")
    keys.restart(two, one)
    wait_gone(own, "lost-key", 60)
    assert left(own, objects["lost-key"]) == set()
    wait_blocked(own, "swapped", "connection 'swapped/rw'", "holds those of connection 'swapped/warehouse' instead")
    for namespace in ("cut-row", "swapped"):
        assert left(own, objects[namespace]) == {"Source", "Table", "Sink", "TargetTable"}
        own.apply(*secrets_of(namespace))
        wait_gone(own, namespace, 60)
        assert left(own, objects[namespace]) == set()


def test_a_login_that_works_heals_what_cannot_be_read(own, keys):
    """With the Secret still there, a lost key costs nothing: what is kept is written anew."""
    keys.start(new_key())
    stream(own, "healed")
    before = keys.key_ids("healed")
    keys.restart(new_key())
    wait_until("the rows have the new key", lambda: keys.key_ids("healed").isdisjoint(before), 30)
    wait_condition(own, "healed", "True", "Kept")
    own.delete("one", namespace="healed")


def test_no_password_is_in_the_file(own, keys):
    """Neither in the database nor in its WAL, in no form; and when the last user is gone nothing encrypted either."""
    keys.start(new_key())
    stream(own, "hidden")
    content = on_disk(keys.controller.audit)
    assert "kept_credentials" in content and "hidden" in content
    assert_no_secret(content, "the audit database")
    with closing(sqlite3.connect(f"file:{keys.controller.audit}?mode=ro", uri=True)) as file:
        blobs = [blob for (blob,) in file.execute("SELECT ciphertext FROM kept_credentials WHERE ns = 'hidden'")]
    assert len(blobs) == 3 and all(not any(secret.encode() in blob for secret in SECRETS) for blob in blobs)
    assert all(blob[:64].decode("latin-1") in content for blob in blobs)
    own.delete("one", namespace="hidden")
    wait_until("nothing is kept", lambda: kept(own, "hidden") == [], 30)
    wait_until("nothing is left in the file",
               lambda: not any(blob[:64].decode("latin-1") in on_disk(keys.controller.audit) for blob in blobs), 30)
    wait_condition(own, "hidden", "Unknown", "NotInUse")


def test_without_a_key_nothing_is_kept(own, keys):
    """The status says what that means."""
    keys.start()
    furnish(own, "keyless")
    begin(own, "keyless", DATABASE, "Delete")
    own.wait_ready("one", 120, "keyless")
    assert "--encryption-key-file" in wait_condition(own, "keyless", "False", "Off")
    assert kept(own, "keyless") == []
    own.delete("one", namespace="keyless")


@pytest.mark.parametrize("flags,says", [
    (["--encryption-key-file", "{missing}"], "the encryption key: file"),
    (["--encryption-key-file", ""], "the encryption key: file"),
    (["--encryption-key-file", "{short}"], "openssl rand -base64 32"),
    (["--encryption-key-file", "{good}", "--encryption-old-key-file", "{short}"], "line 1 of"),
    (["--encryption-old-key-file", "{good}"], "without --encryption-key-file"),
], ids=["missing", "empty", "short", "old-short", "old-alone"])
def test_a_key_that_is_none_prevents_the_start(tmp_path, flags, says):
    """Never silently off."""
    files = {"missing": tmp_path / "nowhere", "short": write_keys(tmp_path / "short", "c2hvcnQ="),
             "good": write_keys(tmp_path / "good", new_key())}
    command = [os.environ["TABLESYNC_BIN"], "controller", "--audit-db", str(tmp_path / "audit.db")]
    done = subprocess.run([*command, *(flag.format(**files) for flag in flags)], capture_output=True, text=True, timeout=30,
                          check=False)
    assert done.returncode != 0 and says in done.stderr, done.stderr
    assert not (tmp_path / "audit.db").exists()
