"""`make demo`: the main job, shown on real programs, and nothing left running.

A local control plane, a MySQL, the two stand-ins and the controller; then what a user does: kubectl apply,
look at the rows, change some, look again, kubectl get tablesyncs.
"""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cluster.controlplane import start_control_plane  # noqa: E402
from cluster.mysql import start_oracle56  # noqa: E402
from integration import system as sys_  # noqa: E402

TABLE = """CREATE TABLE shop.orders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, customer VARCHAR(64) NOT NULL, amount DECIMAL(10,2),
  status ENUM('new','paid','shipped') DEFAULT 'new', note TEXT, created_at DATETIME(3), PRIMARY KEY (id)
) DEFAULT CHARSET=utf8mb4"""
COLUMNS = "id, customer, amount, status, note"


def step(text: str) -> None:
    print(f"\n==> {text}", flush=True)


def show(text: str) -> None:
    print("    " + text.rstrip().replace("\n", "\n    "), flush=True)


def show_rows(title: str, rows: list[tuple]) -> None:
    show(title)
    for row in rows:
        show("  " + " | ".join("NULL" if v is None else str(v) for v in row))


def compare(made: sys_.System, what: str) -> bool:
    started = time.monotonic()
    made.wait_rows("shop.orders", "ods.orders", COLUMNS)
    source, target = made.source_rows("shop.orders", COLUMNS), made.target_rows("ods.orders", COLUMNS)
    show_rows(f"MySQL shop.orders {what}:", source)
    show_rows(f"StarRocks ods.orders, {time.monotonic() - started:.1f} s later:", target)
    show("equal" if source == target else "NOT EQUAL")
    return source == target


def start(stack: ExitStack, work: Path) -> sys_.System:
    step("starting kube-apiserver and etcd")
    plane = stack.enter_context(start_control_plane(work / "plane", users=[sys_.SERVICE_ACCOUNT]))
    step("kubectl apply -k manifests")
    sys_.install(plane)
    show(plane.kubectl("get", "crd", "-o", "name").stdout)
    step("starting Oracle MySQL 5.6 with a row binlog")
    mysql = stack.enter_context(start_oracle56(work / "mysql"))
    sys_.prepare_mysql(mysql)
    step("starting the RisingWave and StarRocks stand-ins")
    rw, starrocks = sys_.RisingWave(work), sys_.StarRocks(work)
    for server in (rw, starrocks):
        stack.callback(server.stop)
        server.start()
    sys_.prepare_risingwave(rw)
    sys_.prepare_starrocks(starrocks)
    return sys_.System(plane, mysql, rw, starrocks)


def show_audit(controller: sys_.Controller) -> None:
    binary = str(Path(controller.daemon.command[0]))
    show(subprocess.run([binary, "runs", "--audit-db", str(controller.audit)], check=True, capture_output=True,
                        text=True).stdout)
    listed = subprocess.run([binary, "logs", "--audit-db", str(controller.audit), "--name", "orders", "-o", "json"],
                            check=True, capture_output=True, text=True).stdout
    for one in json.loads(listed)["steps"]:
        show(f"{one['result']:<9} {one['target']:<10} {one['statement'][:110]}")


def main() -> int:
    good = True
    with tempfile.TemporaryDirectory(prefix="tablesync-demo-") as folder, ExitStack() as stack:
        work = Path(folder)
        made = start(stack, work)
        step("starting the controller under its own service account")
        controller = sys_.Controller(made.plane, work)
        stack.callback(controller.stop)
        controller.start()
        made.connect()
        step("a MySQL table with three rows")
        made.mysql.execute("CREATE DATABASE shop", TABLE,
                           "INSERT INTO shop.orders (customer, amount, note, created_at) VALUES"
                           " ('alice', 12.50, 'first', '2026-01-01 10:00:00.5'),"
                           " ('bob', 99.99, NULL, NULL), ('Žofie 😀', 0.01, 'emoji', NULL)")
        step("kubectl apply -f crd/examples/tablesync.yaml -n data")
        example = (sys_.ROOT / "crd" / "examples" / "tablesync.yaml").read_text()
        show(example)
        applied = time.monotonic()
        made.plane.kubectl("apply", "-n", sys_.NAMESPACE, "-f", "-", input=example)
        step("kubectl wait --for=condition=Ready tsync/orders")
        made.plane.kubectl("wait", "--for=condition=Ready", "tsync/orders", "-n", sys_.NAMESPACE, "--timeout=120s",
                           timeout_s=150)
        show(f"Ready after {time.monotonic() - applied:.1f} s")
        good = compare(made, "as loaded") and good
        step("an insert, an update and a delete in MySQL")
        made.mysql.execute("INSERT INTO shop.orders (customer, amount) VALUES ('carol', 7)",
                           "UPDATE shop.orders SET status='shipped', amount=13.00 WHERE customer='alice'",
                           "DELETE FROM shop.orders WHERE customer='bob'")
        good = compare(made, "after the changes") and good
        step("kubectl get tablesyncs")
        show(made.plane.kubectl("get", "tablesyncs", "-n", sys_.NAMESPACE).stdout)
        show(made.plane.kubectl("get", "databaseconnections", "-n", sys_.NAMESPACE).stdout)
        step("Events of the resource")
        show(made.plane.kubectl("get", "events", "-n", sys_.NAMESPACE, "--field-selector", "involvedObject.name=orders",
                                "-o", "custom-columns=TYPE:.type,REASON:.reason,NOTE:.message").stdout)
        step("tablesync runs and logs: the audit trail")
        show_audit(controller)
        step("stopping everything")
    print("\ndemo: " + ("rows of MySQL and StarRocks are equal" if good else "FAILED"), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
