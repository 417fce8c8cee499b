"""Two real MySQL sources: Oracle MySQL 5.6 and MariaDB of the distribution.

They disagree where the controller has to know both dialects: defaults in
information_schema, GTID variables, privilege names. Both come up with what a
CDC source needs (binary log, ROW, full images), every one of which a test can
take away through an option.

    with start_mariadb(tmp_path / "mariadb", binlog_row_image="MINIMAL") as server:
        with server.connect() as session: ...

An option is a server variable: `name=value` becomes `--name=value`, True and
False become `--name` and `--skip-name`, None drops a default of this module.
`extra=[...]` adds raw arguments. A folder that already holds a data directory
is started as it is, so a test can stop a server and come back to its data.

root has no password and may log in over TCP from 127.0.0.1. Servers do not
resolve names: accounts for tests are `'user'@'%'` or `'user'@'127.0.0.1'`.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pymysql

from . import packages
from .certificates import Certificates, Pair
from .processes import Daemon, StartError, free_port

START_TIMEOUT_S = 60
INSTALL_TIMEOUT_S = 120
CONNECT_TIMEOUT_S = 5
SOCKET_PATH_MAX = 100  # sun_path holds 107 bytes and a final zero

Option = str | int | bool | None
Tls = Pair  # what start_mariadb() takes


class Server:
    """A running server. stop() and start() keep port and data."""

    host = "127.0.0.1"
    root_user = "root"
    root_password = ""

    def __init__(self, kind: str, datadir: Path, command: list[str], port: int, socket: Path,
                 env: Mapping[str, str] | None = None, tls: Tls | None = None) -> None:
        self.kind = kind
        self.datadir = datadir
        self.port = port
        self.socket = socket
        self.tls = tls
        self.log = datadir.parent / f"{datadir.name}.log"
        self.daemon = Daemon(f"{kind} on port {port}", command, self.log, env=env)

    def start(self) -> None:
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        self.daemon.start(self._answers, START_TIMEOUT_S)

    def stop(self) -> None:
        self.daemon.stop()
        if self.socket.parent != self.datadir:
            shutil.rmtree(self.socket.parent, ignore_errors=True)

    def kill(self) -> None:
        """Ends the server as a crash would."""
        self.daemon.kill()

    def restart(self) -> None:
        self.daemon.stop()
        self.start()

    def alive(self) -> bool:
        return self.daemon.alive()

    def connect(self, database: str | None = None, user: str = root_user,
                password: str = root_password, **options) -> pymysql.connections.Connection:
        """A PyMySQL session over TCP, autocommitting; also a context manager."""
        settings = {"autocommit": True, "charset": "utf8mb4",
                    "connect_timeout": CONNECT_TIMEOUT_S, **options}
        return pymysql.connect(host=self.host, port=self.port, user=user, password=password,
                               database=database, **settings)

    def execute(self, *statements: str, database: str | None = None) -> tuple:
        """Runs statements as root in one session; the rows of the last one."""
        with self.connect(database) as session, session.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()

    def show(self, pair: Tls) -> None:
        """Puts another certificate in the place of the one it was started with; MariaDB only."""
        assert self.tls is not None, "started without TLS"
        self.tls.cert.write_bytes(pair.cert.read_bytes())
        self.tls.key.write_bytes(pair.key.read_bytes())
        self.execute("FLUSH SSL")

    def variable(self, name: str) -> str | None:
        """A global variable's value as text; None when the server has no such one."""
        rows = self.execute(f"SHOW GLOBAL VARIABLES WHERE Variable_name = '{name}'")
        return rows[0][1] if rows else None

    def _answers(self) -> bool:
        try:
            self.connect(connect_timeout=1).close()
        except pymysql.err.OperationalError as error:
            refused_login = 1045
            if error.args[0] == refused_login:
                raise StartError(f"{self.kind} on port {self.port} refuses root from 127.0.0.1: "
                                 f"{error.args[1]}") from error
            return False
        return True

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *exc_info) -> None:
        self.stop()


def start_oracle56(datadir: Path, *, extra: Sequence[str] = (), **options: Option) -> Server:
    """Oracle MySQL 5.6.24 with binary log, ROW, full images and GTID.

    `log_bin=False` also turns off what needs the log: GTID and replica updates.
    """
    base = packages.path("oracle-mysql-5.6") / "server"
    datadir = Path(datadir).absolute()
    fresh = not (datadir / "mysql").is_dir()
    if fresh:
        shutil.copytree(base / "data" / "mysql", datadir, dirs_exist_ok=True)
        # The archive's server UUID would make all its servers one and the same.
        (datadir / "auto.cnf").unlink(missing_ok=True)
    defaults: dict[str, Option] = {
        "log_bin": "mysql-bin", "server_id": 7, "binlog_format": "ROW", "binlog_row_image": "FULL",
        "gtid_mode": "ON", "enforce_gtid_consistency": True, "log_slave_updates": True,
        "innodb_use_native_aio": 0, "innodb_log_file_size": "8M", "performance_schema": 0}
    if options.get("log_bin", True) is False:
        defaults.update(gtid_mode=None, enforce_gtid_consistency=None, log_slave_updates=None)
    # The archive carries its own libaio.
    server = _server("oracle-mysql-5.6", datadir, [str(base / "mysqld"), "--no-defaults",
                     f"--basedir={base}", f"--lc-messages-dir={base / 'share'}"],
                     {**defaults, **options}, extra, env={"LD_LIBRARY_PATH": str(base)})
    server.start()
    if fresh:
        _drop_anonymous(server)
    return server


def start_mariadb(datadir: Path, *, binlog_format: str = "ROW", log_bin: bool = True,
                  tls: Tls | bool | None = None, extra: Sequence[str] = (),
                  **options: Option) -> Server:
    """The distribution's MariaDB with binary log and full images.

    `tls=True` makes a CA and a certificate for 127.0.0.1 and localhost beside the
    data directory (server.tls says where); a Pair of cluster.certificates is used as
    it is, its CA for the certificates of clients. show() changes it while it runs.
    """
    datadir = Path(datadir).absolute()
    if not (datadir / "mysql").is_dir():
        _install_mariadb(datadir)
    if tls is True:
        tls = Certificates(datadir.parent / f"{datadir.name}-tls").server()
    defaults: dict[str, Option] = {
        "log_bin": "mysql-bin" if log_bin else False, "server_id": 1,
        "binlog_format": binlog_format, "binlog_row_image": "FULL",
        "innodb_log_file_size": "16M", "innodb_buffer_pool_size": "64M"}
    if tls:
        defaults.update(ssl_ca=str(tls.ca), ssl_cert=str(tls.cert), ssl_key=str(tls.key))
    server = _server("mariadb", datadir, [_mariadb_program("mariadbd"), "--no-defaults"],
                     {**defaults, **options}, extra, tls=tls or None)
    server.start()
    return server


def _server(kind: str, datadir: Path, program: list[str], options: Mapping[str, Option],
            extra: Sequence[str], **about) -> Server:
    port = free_port()
    socket = datadir / "mysqld.sock"
    if len(os.fsencode(socket)) > SOCKET_PATH_MAX:
        socket = Path(tempfile.mkdtemp(prefix="tablesync-")) / "mysqld.sock"
    command = [*program, f"--datadir={datadir}", f"--socket={socket}", f"--port={port}",
               "--bind-address=127.0.0.1", "--skip-name-resolve",
               "--character-set-server=utf8mb4", *_as_root(),
               *(_argument(name, value) for name, value in options.items() if value is not None),
               *extra]
    return Server(kind, datadir, command, port, socket, **about)


def _argument(name: str, value: Option) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--skip-{flag}"
    return f"--{flag}={value}"


def _as_root() -> list[str]:
    """Both servers refuse to run as root unless told to."""
    return ["--user=root"] if os.getuid() == 0 else []


def _drop_anonymous(server: Server) -> None:
    """They would shadow test accounts that exist under '%' only."""
    server.execute("SET sql_log_bin = 0", "DELETE FROM mysql.user WHERE user = ''",
                   "DELETE FROM mysql.db WHERE user = ''", "FLUSH PRIVILEGES")


def _install_mariadb(datadir: Path) -> None:
    datadir.mkdir(parents=True, exist_ok=True)
    _run([_mariadb_program("mariadb-install-db"), "--no-defaults", f"--datadir={datadir}",
          f"--tmpdir={datadir}", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
          "--innodb-log-file-size=16M", *_as_root()])


def _mariadb_program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if found is None:
        raise StartError(f"{name} is missing: install mariadb-server-core and mariadb-client-core")
    return found


def _run(command: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=INSTALL_TIMEOUT_S,
                          check=False)
    if done.returncode != 0:
        raise StartError(f"{' '.join(command[:2])} ended with {done.returncode}:\n{done.stdout}")
