"""The image: small, alone in its file system, the same each time, and able to do what the program does elsewhere."""

import hashlib
import json
import os
import re
import shlex
import shutil
import socket
import struct
import subprocess
import threading
from pathlib import Path

import pytest

from cluster import image
from cluster.certificates import Certificates
from cluster.mysql import start_mariadb

from . import readme
from .system import IMAGE, connection_manifest, secret_manifest

pytestmark = pytest.mark.node

USER = 65532
MEBIBYTE = 1 << 20
LIMIT_MIB = 40
TIMEOUT_S = 60
BINARY = "/usr/bin/tablesync"
PLUGINS = {"caching_sha2_password.so", "sha256_password.so", "client_ed25519.so"}
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
PASSWORD = "im'age\\pw"


@pytest.fixture(scope="module")
def root(built, tmp_path_factory):
    """The image's file system in a folder, which nobody changes."""
    folder = tmp_path_factory.mktemp("image") / "root"
    built.unpack(IMAGE, folder)
    return folder


@pytest.fixture
def copy(root, tmp_path):
    """The same, to be changed, with a /proc as a runtime gives one."""
    folder = tmp_path / "root"
    subprocess.run(["cp", "-a", str(root), str(folder)], check=True, timeout=TIMEOUT_S)
    (folder / "proc").mkdir()
    return folder


def contained(folder: Path, *command: str) -> subprocess.CompletedProcess:
    """Runs a command of the image as a pod would: as 65532, with nothing to write to, in a process namespace of its own."""
    script = ('mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && mount -o remount,bind,ro "$0" &&'
              f' exec chroot --userspec={USER}:{USER} "$0" "$@"')
    return subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, str(folder), *command],
                          env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def checked(folder: Path, connection: dict) -> dict:
    """What `tablesync check` in the image says of a MySQL connection."""
    name = connection["metadata"]["name"]
    documents = [secret_manifest(name, "cdc", PASSWORD), connection]
    (folder / "tmp" / "connection.yaml").write_text("\n---\n".join(map(json.dumps, documents)), encoding="utf-8")
    done = contained(folder, BINARY, "check", "-f", "/tmp/connection.yaml", "-o", "json")
    assert done.stdout, done.stderr
    return json.loads(done.stdout)["connections"][0]


def files_of(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]


def is_elf(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def test_it_is_small(root):
    total = sum(path.stat().st_size for path in files_of(root))
    print(f"the image's files take {total / MEBIBYTE:.1f} MiB")
    assert total < LIMIT_MIB * MEBIBYTE


def test_nothing_in_it_can_be_run_but_the_program(root):
    programs = [path for path in files_of(root) if is_elf(path) and not re.search(r"\.so(\.|$)", path.name)]
    assert programs == [root / BINARY.lstrip("/")]
    assert [path for path in files_of(root) if path.read_bytes()[:2] == b"#!"] == []
    assert [path for path in root.rglob("*") if path.lstat().st_mode & 0o6000] == [], "set-uid or set-gid"
    symbols = subprocess.run(["nm", str(programs[0])], capture_output=True, text=True, check=True)
    assert "no symbols" in symbols.stderr, "it is not stripped"
    shell = subprocess.run(["chroot", str(root), "/bin/sh", "-c", "true"], capture_output=True, text=True, timeout=TIMEOUT_S,
                           check=False)
    assert shell.returncode != 0 and "No such file" in shell.stderr


def test_who_it_runs_as_and_what_it_says_of_itself(built, root):
    made = built.config(IMAGE)
    config = made["config"]
    assert (config["User"], config["Entrypoint"], config["Cmd"]) == (f"{USER}:{USER}", [BINARY], ["controller"])
    assert "Healthcheck" not in config
    version = re.search(r"^VERSION := (.+)$", (image.ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[1]
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in config["Labels"].items()}
    assert (labels["title"], labels["licenses"], labels["version"]) == ("tablesync", "Apache-2.0", version)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=image.ROOT, capture_output=True, text=True, check=True).stdout.strip()
    assert labels["revision"].removesuffix("-dirty") == head
    assert labels["created"] + "|" == made["created"].replace("Z", "Z|"), "the image's time is not the commit's"
    assert re.search(rf"^tablesync:x:{USER}:{USER}:", (root / "etc/passwd").read_text(encoding="utf-8"), re.M)
    home = (root / "var/lib/tablesync").stat()
    assert (home.st_uid, home.st_gid, home.st_mode & 0o777) == (USER, USER, 0o750)
    others = {path for path in root.rglob("*") if path.lstat().st_uid != 0}
    assert others == {root / "var/lib/tablesync"}, "the program could change what it runs"


def test_the_program_starts_in_it(copy):
    done = contained(copy, BINARY, "version")
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("tablesync "), done


def test_every_library_finds_its_own(copy):
    [loader] = [path for path in files_of(copy) if re.match(r"ld-linux.*\.so\.\d$", path.name)]
    plugins = sorted((copy / "usr/lib").glob("*/libmariadb3/plugin/*"))
    assert {path.name for path in plugins} == PLUGINS
    inside = [f"/{path.relative_to(copy)}" for path in files_of(copy) if is_elf(path) and path != loader]
    for each in inside:
        done = contained(copy, f"/{loader.relative_to(copy)}", "--list", each)
        assert done.returncode == 0 and "not found" not in done.stdout + done.stderr, f"{each}: {done.stdout}{done.stderr}"


def test_scanners_learn_whose_files_they_are(root):
    """Each library's package and version stands where scanners look, with its licence."""
    listed = {path.name: path.read_text(encoding="utf-8") for path in (root / "var/lib/dpkg/status.d").iterdir()}
    assert {"libc6", "libcurl4", "libmariadb3", "libssl3", "ca-certificates", "base-files"} <= set(listed)
    for name, text in listed.items():
        assert re.search(rf"^Package: {re.escape(name)}$.*^Version: \S+$", text, re.M | re.S), name
        assert (root / "usr/share/doc" / name / "copyright").stat().st_size > 0
    assert "Apache License" in (root / "usr/share/doc/tablesync/copyright").read_text(encoding="utf-8")
    assert 'VERSION_CODENAME=bookworm' in (root / "etc/os-release").read_text(encoding="utf-8")


class DefaultOf8:
    """What MySQL 8 does with a login up to the password, and then refuses it."""

    NONCE = bytes(range(1, 21))
    PLUGIN = b"caching_sha2_password"

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answer = None
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(TIMEOUT_S)

    def expected(self, password: str) -> bytes:
        once = hashlib.sha256(password.encode()).digest()
        mixed = hashlib.sha256(hashlib.sha256(once).digest() + self.NONCE).digest()
        return bytes(a ^ b for a, b in zip(once, mixed))

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                self._greet(client)

    def _greet(self, client):
        capabilities = 0x1 | 0x8 | 0x200 | 0x8000 | 0x80000
        self._send(client, 0, b"\x0a8.4.3\0" + struct.pack("<I", 7) + self.NONCE[:8] + b"\0"
                   + struct.pack("<HBHHB", capabilities & 0xFFFF, 255, 2, capabilities >> 16, 21) + bytes(10)
                   + self.NONCE[8:] + b"\0" + self.PLUGIN + b"\0")
        with client.makefile("rb") as stream:
            head = stream.read(4)
            login = stream.read(int.from_bytes(head[:3], "little")) if len(head) == 4 else b""
        _, _, rest = login[32:].partition(b"\0")
        if rest and self.PLUGIN in rest:
            self.answer = rest[1:1 + rest[0]]
            self._send(client, 2, b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied for user 'cdc'")
        elif rest:
            self._send(client, 2, b"\xfe" + self.PLUGIN + b"\0" + self.NONCE + b"\0")
            client.recv(1)  # whoever has not got it hangs up

    @staticmethod
    def _send(client, number, payload):
        client.sendall(len(payload).to_bytes(3, "little") + bytes([number]) + payload)


def test_a_default_account_of_mysql_8_can_log_in(copy):
    """Connector/C knows caching_sha2_password from a file that it opens when a server asks for it."""
    with DefaultOf8() as server:
        connection = connection_manifest("mysql8", "MySQL", server.port, tls={"mode": "Disable"})
        refused = checked(copy, connection)["error"]
        assert server.answer == server.expected(PASSWORD), refused
        assert refused["reason"] == "AuthFailed", refused
        server.answer = None
        for plugin in (copy / "usr/lib").glob("*/libmariadb3/plugin/caching_sha2_password.so"):
            plugin.unlink()
        missing = checked(copy, connection)["error"]
        assert server.answer is None and "caching_sha2_password" in missing["message"], missing


def test_servers_are_trusted_by_the_certificates_in_it(copy, tmp_path):
    """And their names are looked up, in /etc/hosts first."""
    made = Certificates(tmp_path / "tls")
    quoted = PASSWORD.replace("\\", "\\\\").replace("'", "''")
    (copy / "etc/hosts").write_text("127.0.0.1 mysql.example.test\n", encoding="utf-8")
    with start_mariadb(tmp_path / "mariadb", tls=made.server("mysql.example.test")) as server:
        server.execute(f"CREATE USER 'cdc'@'%' IDENTIFIED BY '{quoted}'")
        connection = connection_manifest("tls", "MySQL", server.port, host="mysql.example.test", tls={"mode": "VerifyFull"})
        unknown = checked(copy, connection)
        assert not unknown["login"] and "certificate" in unknown["error"]["message"], unknown
        bundle = copy / BUNDLE
        assert bundle.read_text(encoding="utf-8").count("BEGIN CERTIFICATE") > 100
        with open(bundle, "ab") as file:
            file.write(made.ca.read_bytes())
        known = checked(copy, connection)
        assert known["login"], known
        (copy / "etc/hosts").unlink()
        assert not checked(copy, connection)["reachable"]


def test_one_commit_is_one_image(built, tmp_path):
    """Built once more, elsewhere, from files that are younger and beside others: the same to the last byte."""
    context = tmp_path / "clone"
    shutil.copytree(image.ROOT, context, copy_function=shutil.copy, symlinks=True,
                    ignore=lambda folder, names: {"build", "__pycache__"} & set(names))
    (context / "another file").write_text("not a part of it", encoding="utf-8")
    with image.Builder(tmp_path / "storage") as again:
        again.make(context, *IMAGE.split(":"))
        ours, theirs = (each.config(IMAGE)["rootfs"]["diff_ids"] for each in (built, again))
    assert len(ours) == 1 and ours == theirs


def test_readme_s_command_builds_it(built):
    block, = readme.commands("test_image.py")
    name = ":".join(re.search(r"IMAGE=(\S+) TAG=(\S+)", block).groups())
    # What buildah mounts goes with the namespace.
    readme.run(f"unshare --mount sh -c {shlex.quote(block)}", image.ROOT, {**os.environ, **built.environment, "ENGINE": "buildah"},
               timeout_s=image.BUILD_TIMEOUT_S)
    assert built.config(name)["rootfs"] == built.config(IMAGE)["rootfs"]


def test_an_engine_that_is_missing_is_named(tmp_path):
    for name in ("sh", "git", "gcc", "make"):
        (tmp_path / name).symlink_to(shutil.which(name))
    done = subprocess.run(["make", "image"], cwd=image.ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False)
    assert done.returncode != 0
    assert "make image: none of docker, podman and buildah is here and works" in done.stderr
