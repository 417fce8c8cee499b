#!/usr/bin/env python3
"""Runs the test tiers, shows progress, and ends with the plain line `N passed, N failed`.

Used by the Makefile (`make test`, `make unit`, `make check`, `make demo`, `make bench`). Needs nothing
but a standard Python; tests that need packages run in the virtual environment that
tests/bootstrap/venv.sh keeps outside the clone.
"""
import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
JOBS = max(2, os.cpu_count() or 2)
CMOCKA_COUNT = re.compile(r"\[  (PASSED|FAILED)  \].*?(\d+) test\(s\)")
# One test program may not take longer than this; every wait inside has its own deadline.
PROGRAM_SECONDS = 1800  # beside the integration tier, which takes most of two processors
# Integration tests wait more than they compute; each of these has an API server and a MySQL to itself.
INTEGRATION_WORKERS = min(JOBS, 4)
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS") or (20 if CI else 10))
FUZZ_SEED = os.environ.get("FUZZ_SEED") or "1"
FUZZ_JOBS = 2
MILLION = "a_million_steps_are_safe"
# The other tiers have the oldest Kubernetes that is still maintained, and this one runs what depends on the API server
# itself: lists, watches, writes and their conflicts, leases, the CRDs' rules, RBAC, server-side apply.
# The slowest files come first.
NEWEST_KUBE = "1.37"
OF_THE_API_SERVER = ("tests/cluster/test_cluster.py::test_programs_are_the_versions_the_modules_name", *(
    f"tests/integration/test_{name}.py" for name in (
        "rbac", "leader", "flow", "chart", "components", "gitops", "crd", "wire_server", "wire_writes", "wire_watches", "wire_lists")))
# A target that needs longer for one input, or more memory, has found something.
FUZZ_INPUT_SECONDS, FUZZ_MEGABYTES = 10, 2048


class Tally:
    """Counts over all tiers."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.failures = []  # a line each, for the end of a long output

    def add(self, passed, failed):
        self.passed += passed
        self.failed += failed


def say(text):
    print(text, flush=True)


def run(command, **options):
    """Runs a command from the root of the clone; returns its exit status."""
    return subprocess.run(command, cwd=ROOT, **options).returncode


def output_of(command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def make(*targets, variant="release"):
    return run(["make", f"-j{JOBS}", f"VARIANT={variant}", *targets])


def sanitizer_environment():
    environment = dict(os.environ)
    environment["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0:exitcode=99"
    # libgnutls keeps a little of a certificate that it refuses.
    environment["LSAN_OPTIONS"] = f"suppressions={ROOT}/tests/lsan.supp:print_suppressions=0"
    environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
    environment["TSAN_OPTIONS"] = f"halt_on_error=1:exitcode=66:second_deadlock_stack=1:suppressions={ROOT}/tests/tsan.supp"
    return environment


def run_program(command):
    """One cmocka program: (name, passed, failed, output if anything failed)."""
    name = " ".join([command[0].name, *command[1:]])
    try:
        done = subprocess.run([str(part) for part in command], cwd=ROOT, env=sanitizer_environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=PROGRAM_SECONDS, errors="replace", text=True)
        text, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        text, status = f"{late.stdout or ''}\nno end after {PROGRAM_SECONDS} s", 124
    passed = failed = 0
    for kind, number in CMOCKA_COUNT.findall(text):
        if kind == "PASSED":
            passed += int(number)
        else:
            failed += int(number)
    if status != 0 and failed == 0:
        failed = 1
    if status == 0 and passed == 0:
        failed, text = 1, text + "\nran no test"
    return name, passed, failed, text if failed else ""


def run_programs(tally, commands):
    good = True
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for name, passed, failed, text in pool.map(run_program, commands):
            tally.add(passed, failed)
            say(f"  {'FAIL' if failed else 'ok  '} {name}: {passed} passed, {failed} failed")
            if failed:
                good = False
                tally.failures.append(f"{commands[0][0].parent.parent.name} {name}")
                say(text)
    return good


def c_tests(tally, variant, rooms=None, simulated=True):
    if make("unit-bins", *(["sim-bin"] if simulated else []), variant=variant) != 0:
        tally.add(0, 1)
        return False
    programs = sorted((ROOT / "build" / variant / "unit").glob("*-*"))
    # The fresh list: programs whose source has gone stay in build/ and must not run.
    wanted = {f"{p.parent.name}-{p.stem[5:]}" for p in (ROOT / "tests" / "unit").glob("*/test_*.c")}
    programs = [p for p in programs if p.name in wanted and not p.suffix]
    if rooms:
        programs = [p for p in programs if p.name.split("-")[0] in rooms]
    # The longest first.
    simulation = [[ROOT / "build" / variant / "sim" / "sim", "-x", MILLION]] if simulated else []
    return run_programs(tally, [*simulation, *([p] for p in programs)])


def pytest(tally, venv, *paths, variant, workers, marked, environment):
    report = ROOT / "build" / f"pytest-{paths[0].replace('/', '-')}-{marked.replace(' ', '-')}.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    environment = dict(environment, PYTHONPATH=str(ROOT / "tests"),
                       TABLESYNC_BIN=str(ROOT / "build" / variant / "tablesync"),
                       DRIVER_PROBE=str(ROOT / "build" / variant / "drivers" / "driver_probe"))
    status = run([f"{venv}/bin/python", "-m", "pytest", "-q", "--no-header", "-ra", "--tb=short", "--color=no", "-p", "no:cacheprovider",
                  # In the order given: by number of tests the slowest files, which have few, would come last.
                  *(["-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder"] if workers > 1 else []), "-m", marked,
                  f"--junitxml={report}", *paths], env=environment)
    if not report.exists():
        tally.add(0, 1)
        return False
    passed = failed = 0
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        passed += int(suite.get("tests", 0)) - bad - skipped
        failed += bad + (skipped if CI else 0)
        if skipped and CI:
            say(f"  {skipped} skipped: in CI a skipped test is a failed one")
    if status not in (0, 1) and failed == 0:
        failed = 1
    if passed + failed == 0:
        failed = 1
    tally.add(passed, failed)
    return failed == 0


def tier_check(tally):
    status = run([sys.executable, "tests/checks/check.py"])
    good = make("headers-alone") == 0
    good = make("tidy") == 0 and good
    tally.add((status == 0) + good, (status != 0) + (not good))
    return status == 0 and good


# What is shipped; the sanitizers' variants look closer.
def tier_unit(tally, variant="release"):
    return c_tests(tally, variant)


def tier_asan(tally):
    return c_tests(tally, "asan")


def tier_tsan(tally):
    # The simulation has one thread.
    return c_tests(tally, "tsan", rooms=("base", "kube", "audit", "loop"), simulated=False)


def tier_million(tally):
    """It uses every processor, and says how long it took."""
    if make("sim-bin") != 0:
        tally.add(0, 1)
        return False
    return run_programs(tally, [[ROOT / "build" / "release" / "sim" / "sim", MILLION]])


def fuzz_command(name):
    """libFuzzer over a fresh copy of the seeds: it writes what it finds where it reads them."""
    corpus, words = f"build/fuzz/corpus/{name}", f"tests/fuzz/{name}.dict"
    shutil.rmtree(ROOT / corpus, ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "fuzz" / "corpus" / name, ROOT / corpus)
    (ROOT / "build" / "fuzz" / "findings").mkdir(exist_ok=True)
    return [f"build/fuzz/targets/{name}", f"-max_total_time={FUZZ_SECONDS}", f"-seed={FUZZ_SEED}",
            f"-timeout={FUZZ_INPUT_SECONDS}", f"-rss_limit_mb={FUZZ_MEGABYTES}", "-print_final_stats=1",
            f"-artifact_prefix=build/fuzz/findings/{name}-", *([f"-dict={words}"] if (ROOT / words).exists() else []),
            corpus]


def fuzz_verdict(name, status, text):
    """What is wrong with a run, in words; "": nothing. A run that tested nothing is no success."""
    found = re.search(r"Test unit written to (\S+)", text)
    if found:
        return f"{text}\nthe input is {found.group(1)}; again: build/fuzz/targets/{name} {found.group(1)}"
    counted = [int(number) for number in re.findall(r"(?:number_of_executed_units|accepted inputs): +(\d+)", text)]
    seeds = sum(1 for _ in (ROOT / "tests" / "fuzz" / "corpus" / name).iterdir())
    if status != 0 or len(counted) != 2:
        return f"{text}\nended with status {status}"
    return "" if counted[0] > seeds and counted[1] > 0 else f"{text}\nno input was new, or none was accepted"


def without_aslr():
    """What to put in front of a program so that it is laid out the same each time: a run of the fuzzer can then be
    repeated, and clang's sanitizers are known to fail at random layouts of some kernels."""
    same = ["setarch", "-R"]
    return same if shutil.which("setarch") and subprocess.run([*same, "true"], stderr=subprocess.DEVNULL).returncode == 0 else []


def fuzz_once(command):
    """One run of libFuzzer: (status, output)."""
    environment = sanitizer_environment()
    # clang's own symbolizer may be missing.
    environment["ASAN_OPTIONS"] += ":allow_addr2line=1"
    environment["UBSAN_OPTIONS"] += ":allow_addr2line=1"
    try:
        done = subprocess.run([*without_aslr(), *command], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=FUZZ_SECONDS + PROGRAM_SECONDS, errors="replace", text=True)
        return done.returncode, done.stdout
    except (subprocess.TimeoutExpired, OSError) as failure:
        return 1, str(failure)


def stood_still(text):
    """An input was too slow, and is quick when it is tried alone: the machine stood still, by the clock on the wall that
    libFuzzer measures with."""
    found = re.search(r"Test unit written to (\S*timeout-\S+)", text)
    return bool(found) and fuzz_once([f"build/fuzz/targets/{found.group(1).rsplit('/', 1)[1].split('-')[0]}",
                                      f"-timeout={FUZZ_INPUT_SECONDS}", found.group(1)])[0] == 0


def run_fuzzer(name):
    """One target: (name, inputs, what is wrong)."""
    status, text = fuzz_once(fuzz_command(name))
    if stood_still(text):
        status, text = fuzz_once(fuzz_command(name))
    executed = re.search(r"number_of_executed_units: +(\d+)", text)
    return name, executed.group(1) if executed else "0", fuzz_verdict(name, status, text)


def tier_fuzz(tally):
    if make("fuzz-bins", variant="fuzz") != 0:
        tally.add(0, 1)
        return False
    names = sorted(p.stem.removeprefix("fuzz_") for p in (ROOT / "tests" / "fuzz").glob("fuzz_*.c"))
    say(f"  {len(names)} targets, {FUZZ_SECONDS} s each, {FUZZ_JOBS} at a time, FUZZ_SEED={FUZZ_SEED}")
    good = bool(names)
    with concurrent.futures.ThreadPoolExecutor(FUZZ_JOBS) as pool:
        for name, inputs, wrong in pool.map(run_fuzzer, names):
            tally.add(not wrong, bool(wrong))
            say(f"  {'FAIL' if wrong else 'ok  '} {name}: {inputs} inputs")
            if wrong:
                good = False
                tally.failures.append(f"fuzz {name}: {wrong.splitlines()[-1]}")
                say("\n".join(wrong.splitlines()[-60:]))
    return good


# Neither beside others: "quiet" measures, "node" needs the machine.
ORDINARY = "not quiet and not node"


def python_tier(*paths, variant="release", workers=1, marked=ORDINARY, kube_minor=None):
    """`workers`: as many processes take the test files in turn, each with servers of its own. `kube_minor`: of the API
    server; None: what KUBE_MINOR says, or the usual one."""
    def tier(tally):
        environment = sanitizer_environment()
        if kube_minor:
            environment["KUBE_MINOR"] = kube_minor
        if make("system-bins", variant=variant) != 0:
            tally.add(0, 1)
            return False
        venv = output_of(["tests/bootstrap/venv.sh"])
        if run(["tests/bootstrap/programs.sh"], env=environment) != 0:
            tally.add(0, 1)
            return False
        return pytest(tally, venv, *paths, variant=variant, workers=workers, marked=marked, environment=environment)
    return tier


def why_no_node():
    """What a node of our own, or the image, cannot be made for; "" when nothing is missing."""
    if os.geteuid() != 0:
        return "only root can build the image from nothing and run a node"
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], cwd=ROOT,
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
        return "this machine does not let root mount anything"
    if run(["tests/bootstrap/deps.sh", "apt-node.txt"]) != 0:
        return "packages of tests/bootstrap/apt-node.txt are missing"
    return ""


def tier_node(tally):
    """Where it cannot run it says so in a line; in CI that is a failure."""
    why = why_no_node()
    if why:
        say(f"   not run: {why}")
        tally.add(0, int(CI))
        return not CI
    return python_tier("tests/integration", marked="node")(tally)


TIERS = {
    "check": ("format, layers, banned functions, sizes, headers alone, clang-tidy", tier_check),
    "unit": ("unit, golden and simulation tests", tier_unit),
    "asan": ("the same under AddressSanitizer and UndefinedBehaviorSanitizer", tier_asan),
    "tsan": ("threads under ThreadSanitizer", tier_tsan),
    "fuzz": ("arbitrary bytes into every parser and builder of SQL", tier_fuzz),
    "checks": ("the checks themselves: each finds what it is for", python_tier("tests/checks")),
    "cluster": ("the test cluster's own programs", python_tier("tests/cluster")),
    "standins": ("stand-ins against the transcripts of the real servers", python_tier("tests/standins/conformance", workers=JOBS)),
    "integration": ("the binary on a real API server, MySQL, MariaDB and the stand-ins",
                    python_tier("tests/integration", variant="asan", workers=INTEGRATION_WORKERS)),
    "newest": (f"what the API server decides, on Kubernetes {NEWEST_KUBE}, under ThreadSanitizer",
               python_tier(*OF_THE_API_SERVER, variant="tsan", workers=INTEGRATION_WORKERS, kube_minor=NEWEST_KUBE)),
    "million": ("one million steps of random histories", tier_million),
    "quiet": ("what measures time and memory, with nothing beside it", python_tier("tests/integration", marked="quiet")),
    "node": ("the image, and the chart on a real node that runs it", tier_node),
}
# The longest tier, which waits more than it computes.
BESIDE, BESIDE_VARIANT = "integration", "asan"
# How far what is shown of it may lag behind.
SHOW_SECONDS = 1


def begin_beside():
    """Starts the integration tier as a process of its own: it mostly waits for servers, while the others compute. None if
    it cannot be built; its own turn then says why. What both need is built first, so that neither disturbs the other."""
    if (make("system-bins", variant=BESIDE_VARIANT) != 0 or run(["tests/bootstrap/venv.sh"], stdout=subprocess.DEVNULL) != 0
            or run(["tests/bootstrap/programs.sh"]) != 0):
        return None
    say(f"== {BESIDE} runs beside the other tiers, and is shown at the end")
    with open(ROOT / "build" / f"{BESIDE}.log", "w", encoding="utf-8") as log:
        return subprocess.Popen([sys.executable, __file__, "--tiers", BESIDE], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
                                start_new_session=True)


def tier_beside(process):
    """Waits for the process and shows what it printed as it comes; its last line goes into our own count."""
    def tier(tally):
        last = ""
        with open(ROOT / "build" / f"{BESIDE}.log", encoding="utf-8", errors="replace") as log:
            while True:
                ended = process.poll() is not None
                while text := log.read(4096):
                    last = (last + text)[-200:]
                    print(text, end="", flush=True)
                if ended:
                    break
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(SHOW_SECONDS)
        counted = re.search(r"(\d+) passed, (\d+) failed\s*\Z", last)
        tally.add(*(map(int, counted.groups()) if counted else (0, 1)))
        return process.returncode == 0 and counted is not None
    return tier


def run_tiers(names, variant):
    tally = Tally()
    bad = []
    beside = begin_beside() if BESIDE in names and len(names) > 2 else None
    try:
        return run_in_turn(names, variant, tally, bad, beside)
    finally:
        if beside and beside.poll() is None:
            os.killpg(beside.pid, signal.SIGINT)
            beside.wait()


def run_in_turn(names, variant, tally, bad, beside):
    for number, name in enumerate(names, 1):
        title, tier = TIERS[name]
        if name == BESIDE and beside:
            tier = tier_beside(beside)
        say(f"== {number}/{len(names)} {name}: {title}")
        started = time.monotonic()
        good = tier(tally, variant) if name == "unit" and variant else tier(tally)
        say(f"   {name} {'passed' if good else 'FAILED'} in {time.monotonic() - started:.0f} s")
        if not good:
            bad.append(name)
    for line in tally.failures:
        say(f"FAILED {line}")
    if bad:
        say(f"failed tiers: {', '.join(bad)}")
    say(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if bad or tally.failed else 0


def run_script(path, *arguments, variant="release"):
    """A Python program of the project, in the virtual environment, with everything built."""
    if make("all", variant=variant) != 0:
        return 1
    venv = output_of(["tests/bootstrap/venv.sh"])
    if run(["tests/bootstrap/programs.sh"]) != 0:
        return 1
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "tests"),
                       TABLESYNC_BIN=str(ROOT / "build" / variant / "tablesync"))
    return run([f"{venv}/bin/python", path, *arguments], env=environment)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiers", default=",".join(TIERS), help="comma-separated: " + ", ".join(TIERS))
    parser.add_argument("--variant", default="", help="variant of the unit tier")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--bench", action="store_true", help="all figures; those of peers go into README.md")
    parser.add_argument("--soak", action="store_true", help="SOAK_SECONDS of churn")
    parser.add_argument("--bench-peers", action="store_true", help="the comparison with peers alone")
    options = parser.parse_args()
    os.chdir(ROOT)
    if options.demo:
        return run_script("tests/integration/demo.py")
    if options.soak:
        return run_script("tests/bench/soak.py", "--seconds", os.environ.get("SOAK_SECONDS") or "1800")
    if options.bench and run_script("tests/bench/bench.py") != 0:
        return 1
    if options.bench or options.bench_peers:
        return run_script("tests/bench/peers.py", "--write")
    return run_tiers(options.tiers.split(","), options.variant)


if __name__ == "__main__":
    sys.exit(main())
