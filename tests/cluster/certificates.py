"""Certificates for servers and clients, good ones and bad ones, made by openssl.

    made = Certificates(tmp_path / "tls")
    start_mariadb(tmp_path / "data", tls=made.server("127.0.0.1"))
    StandIn("standins.starrocks", *made.expired().arguments())
    made.ca.read_text()   # what a Secret's ca.crt holds

Each call makes its files anew in a folder of its own; names that are addresses become
addresses in the certificate. `foreign` is a second authority that nobody trusts.
"""

import ipaddress
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

TIMEOUT_S = 30
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
DAYS = ["-days", "3650"]
_CA_CONFIG = """\
[ca]
default_ca = this
[this]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
"""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, and the authority that signed it."""

    ca: Path
    cert: Path
    key: Path

    def arguments(self) -> list[str]:
        """As a stand-in takes them."""
        return ["--tls-cert", str(self.cert), "--tls-key", str(self.key)]


class Certificates:
    """An authority and what it signs, in `folder`."""

    def __init__(self, folder: Path, name: str = "tests CA") -> None:
        self.folder = Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self.folder / "ca.pem"
        self._made = 0
        _openssl("req", "-x509", *KEY, "-keyout", str(self._ca_key), "-out", str(self.ca), *DAYS,
                 "-subj", f"/CN={name}")

    @property
    def _ca_key(self) -> Path:
        return self.folder / "ca.key"

    @cached_property
    def foreign(self) -> "Certificates":
        return Certificates(self.folder / "foreign", "somebody else's CA")

    def server(self, *hosts: str) -> Pair:
        """For these hosts; 127.0.0.1 and localhost when none is given."""
        return self._sign("server", hosts or ("127.0.0.1", "localhost"))

    def expired(self, *hosts: str) -> Pair:
        """The same, valid in the year 2020 alone."""
        return self._sign("expired", hosts or ("127.0.0.1", "localhost"),
                          "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")

    def wrong_host(self) -> Pair:
        """For a name and an address that no test's server has."""
        return self._sign("wrong-host", ("elsewhere.example", "192.0.2.7"))

    def client(self, name: str = "client") -> Pair:
        return self._sign("client", (), subject=name)

    def expired_client(self, name: str = "client") -> Pair:
        return self._sign("expired-client", (), "-startdate", "20200101000000Z", "-enddate",
                          "20210101000000Z", subject=name)

    def _sign(self, kind: str, hosts: tuple[str, ...], *dates: str, subject: str = "") -> Pair:
        self._made += 1
        home = self.folder / f"{kind}-{self._made}"
        home.mkdir()
        (home / "index.txt").touch()
        (home / "ca.cnf").write_text(_CA_CONFIG.format(folder=home), encoding="utf-8")
        pair = Pair(self.ca, home / "cert.pem", home / "cert.key")
        request = home / "request.pem"
        names = ["-addext", f"subjectAltName={','.join(map(_alternative, hosts))}"] if hosts else []
        _openssl("req", *KEY, "-keyout", str(pair.key), "-out", str(request), *names,
                 "-subj", f"/CN={subject or hosts[0]}")
        _openssl("ca", "-batch", "-notext", "-config", str(home / "ca.cnf"), "-cert", str(self.ca),
                 "-keyfile", str(self._ca_key), "-in", str(request), "-out", str(pair.cert),
                 *(dates or DAYS))
        return pair


def encrypted(key: Path, passphrase: str = "a passphrase") -> str:
    """The key's PEM, protected by a passphrase."""
    return _openssl("pkey", "-in", str(key), "-aes256", "-passout", f"pass:{passphrase}")


def _alternative(host: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def _openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout
