"""One system for the whole run; each test has tables and resources of its own."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from cluster import image
from cluster.controlplane import start_control_plane
from cluster.mysql import start_mariadb, start_oracle56
from cluster.processes import free_port

from . import system as sys_

ABREAST = 12
_begun: dict[Path, dict[str, Future]] = {}


def pytest_configure(config):
    config.addinivalue_line("markers", "quiet: measures time; runs when nothing else does")
    config.addinivalue_line("markers", "node: builds the image or runs it on a node of its own; needs root and the machine for itself")
    config.addinivalue_line("markers", "together: begins with all others of its module that are so marked")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Tests marked `together` run abreast: each waits for servers, with tables of its own, and not for the others."""
    if pyfuncitem.get_closest_marker("together") is None:
        return None
    if pyfuncitem.path not in _begun:
        pool = ThreadPoolExecutor(ABREAST)
        _begun[pyfuncitem.path] = {
            item.nodeid: pool.submit(item.obj, **_arguments(item, pyfuncitem._request)) for item in pyfuncitem.session.items
            if item.path == pyfuncitem.path and item.get_closest_marker("together")}
    _begun[pyfuncitem.path][pyfuncitem.nodeid].result()
    return True


def _arguments(item, request):
    """What the test is called with: its parameters, and fixtures of the module or the session."""
    given = item.callspec.params if hasattr(item, "callspec") else {}
    return {name: given[name] if name in given else request.getfixturevalue(name) for name in item._fixtureinfo.argnames}


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory):
    with start_control_plane(tmp_path_factory.mktemp("plane"), users=[sys_.SERVICE_ACCOUNT, sys_.VIEWER],
                             controller_manager=True) as plane:
        sys_.install(plane)
        yield plane


@pytest.fixture(scope="session")
def wire_plane(tmp_path_factory):
    """For faults between controller and API server: nobody else's controller watches here."""
    with start_control_plane(tmp_path_factory.mktemp("wire-plane"), users=[sys_.SERVICE_ACCOUNT]) as plane:
        sys_.install(plane)
        yield plane


@pytest.fixture(scope="session")
def oracle56(tmp_path_factory):
    with start_oracle56(tmp_path_factory.mktemp("oracle56") / "data") as server:
        sys_.prepare_mysql(server)
        yield server


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory):
    with start_mariadb(tmp_path_factory.mktemp("mariadb") / "data") as server:
        sys_.prepare_mysql(server)
        yield server


@pytest.fixture(scope="session")
def system(control_plane, oracle56, tmp_path_factory):
    """Control plane, Oracle MySQL and the stand-ins, without a controller."""
    work = tmp_path_factory.mktemp("standins")
    rw = sys_.RisingWave(work).start()
    starrocks = sys_.StarRocks(work).start()
    sys_.prepare_risingwave(rw)
    sys_.prepare_starrocks(starrocks)
    made = sys_.System(control_plane, oracle56, rw, starrocks)
    made.connect()
    yield made
    rw.stop()
    starrocks.stop()


@pytest.fixture(scope="session")
def running(system, control_plane, tmp_path_factory):
    """The system with one controller; `running.controller` is it, and listens for debugging on `running.debug`."""
    system.debug = free_port()
    system.controller = sys_.Controller(control_plane, tmp_path_factory.mktemp("controller"), "--debug-bind-address",
                                        f"localhost:{system.debug}").start()
    yield system
    log = system.controller.log_text()
    system.controller.stop()
    sys_.assert_no_secret(log, "the controller's log")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The builder that has made the image, sys_.IMAGE."""
    with image.Builder(tmp_path_factory.mktemp("images") / "storage") as builder:
        builder.make(image.ROOT, *sys_.IMAGE.split(":"))
        yield builder
