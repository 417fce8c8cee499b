"""Every rule of check.py finds what it is for, and nothing in a tree that keeps them."""

import shutil
import subprocess

import check
import pytest

# What the rules look for stands here in two pieces, or the rules would find these tests.
FIX, LATER, SKIP, XFAIL = "FIX" + "ME", "TO" + "DO", "sk" + "ip", "x" + "fail"
MACHINE, USER_HOME = "/wo" + "rk", "/ho" + "me/jo"

CLEAN = {
    "reconciler/base/buf.c": '#include "base/buf.h"\n#include <stdlib.h>\n\nvoid buf_free(char *p)\n{\n    free(p);\n}\n',
    "reconciler/base/buf.h": "#ifndef BASE_BUF_H\n#define BASE_BUF_H\nvoid buf_free(char *p);\n#endif\n",
    "reconciler/kube/transport_curl.c": '#include "base/buf.h"\n#include <curl/curl.h>\n',
    "reconciler/db/mysql_wire.c": '#include "ddl/plan.h"\n#include <mysql.h>\n\nint f(MYSQL *m)\n{\n'
                                  '    return mysql_real_query(m, "x", 1);\n}\n',
    "reconciler/db/risingwave_wire.c": "#include <libpq-fe.h>\n\nint f(PGconn *c)\n{\n    return PQsendQuery(c, \"\");\n}\n",
    "reconciler/audit/lite.c": "#include <sqlite3.h>\n",
    "reconciler/loop/loop.c": '#include "audit/lite.h"\n#include "db/db.h"\n#include "kube/api.h"\n\n'
                              '/* free(x), printf("y") and sleep(1) in words are words. */\n'
                              'static const char *text = "printf(1); PQexec";\n\nvoid f(struct buf *b)\n{\n'
                              "    b->free(b);\n    snprintf(text, 1, \"\");\n    cancel_sleep(b);\n}\n",
    "reconciler/loop/metrics.def": 'METRIC(A, "a")\n',
    "cmd/main.c": '#include "loop/loop.h"\n#include <stdio.h>\n\nint main(void)\n{\n    printf("x");\n    return 0;\n}\n',
    "tests/unit/base/test_buf.c": "static void verification_is_skipped(void **state)\n{\n    (void)state;\n}\n",
    "tests/test_a.py": "import pytest\n\n\ndef test_a():\n    assert insecure_skip_verify() == 1\n",
    "README.md": "Files are kept below ~/.cache/tablesync; see mysql://root:x@db and build/work/x.\n",
}


@pytest.fixture
def tree(tmp_path):
    """A small tree under git that keeps every rule."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for name, text in CLEAN.items():
        write(tmp_path, name, text)
    shutil.copy(check.ROOT / ".clang-format", tmp_path)
    return tmp_path


def write(tree, name, text):
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).write_text(text, encoding="utf-8")


def places(rule, tree):
    """Where a rule finds something: file:line, or file alone."""
    return [":".join(finding.split(" ")[0].rstrip(":").split(":")[:2]) for finding in rule(tree)]


def all_findings(tree):
    return {rule.__name__: found for rule in check.RULES if (found := list(rule(tree)))}


def test_a_clean_tree_gives_nothing(tree):
    assert all_findings(tree) == {}


@pytest.mark.parametrize("rule", [check.rule_layers, check.rule_calls, check.rule_sizes, check.rule_words,
                                  check.rule_skips])
def test_this_tree_keeps_the_rules(rule):
    assert list(rule(check.ROOT)) == []


@pytest.mark.parametrize(("name", "line", "says"), [
    ("reconciler/base/x.c", '#include "kube/api.h"', "room base must not include kube/"),
    ("reconciler/kube/x.h", '#include "model/spec.h"', "room kube must not include model/"),
    ("reconciler/model/x.c", '  #  include "ddl/plan.h"', "room model must not include ddl/"),
    ("reconciler/audit/x.c", "#include <model/spec.h>", "room audit must not include model/"),
    ("reconciler/ddl/x.c", '#include "db/db.h"', "room ddl must not include db/"),
    ("reconciler/db/x.c", '#include "audit/audit.h"', "room db must not include audit/"),
    ("reconciler/loop/x.def", '#include "cmd/options.h"', "room loop must not include cmd/"),
    ("reconciler/base/x.c", "#include <base/buf.h>", "stand in quotes"),
    ("reconciler/base/x.c", '#include "buf.h"', "write the room in front"),
    ("reconciler/base/x.c", '#include "../kube/api.h"', "write the room in front"),
    ("reconciler/loop/sub/x.c", '#include "../kube/api.h"', "write the room in front"),
    ("reconciler/loop/x.c", "#include <curl/curl.h>", "belongs in reconciler/kube/transport_curl"),
    ("reconciler/kube/api.c", "#include <curl/multi.h>", "belongs in reconciler/kube/transport_curl"),
    ("reconciler/db/mysql_wire.c", "#include <libpq-fe.h>", "belongs in reconciler/db/risingwave"),
    ("cmd/x.c", "#include <postgresql/libpq-fe.h>", "belongs in reconciler/db/risingwave"),
    ("reconciler/db/starrocks.c", "#include <mysql.h>", "belongs in reconciler/db/mysql"),
    ("reconciler/db/risingwave.c", "#include <mariadb/errmsg.h>", "belongs in reconciler/db/(mysql|classify)"),
    ("reconciler/loop/x.c", "#include <mysqld_error.h>", "belongs in reconciler/db/(mysql|classify)"),
    ("cmd/x.c", "#include <sqlite3.h>", "belongs in reconciler/audit/"),
    ("reconciler/model/x.c", "#include <yaml.h>", "belongs in reconciler/base/yaml"),
    ("reconciler/base/map.c", "#include <cJSON.h>", "belongs in reconciler/base/json"),
    ("reconciler/kube/x.c", "#include <cjson/cJSON.h>", "belongs in reconciler/base/json"),
    ("reconciler/kube/x.c", "#include <openssl/ssl.h>", "belongs in reconciler/base/(hash|secret|crypto)"),
    ("reconciler/loop/loop.c", "#include <microhttpd.h>", "belongs in reconciler/loop/http"),
])
def test_layers(tree, name, line, says):
    write(tree, name, f"/* one line above */\n{line}\n")
    (finding,) = check.rule_layers(tree)
    assert finding.startswith(f"{name}:2: ") and says in finding


def test_layers_a_room_nobody_planned(tree):
    write(tree, "reconciler/util/x.c", '#include "kube/api.h"\n')
    assert list(check.rule_layers(tree)) == [
        "reconciler/util/x.c: there is no room util; say in check.py what it may include"]


@pytest.mark.parametrize(("name", "line", "says"), [
    ("reconciler/loop/x.c", 'PQexec(c, "x");', "SQL is sent"),
    ("reconciler/db/starrocks.c", "PQexecParams (c, sql);", "SQL is sent"),
    ("reconciler/db/resolve.c", "PQprepare(c, a, b, 0, 0);", "SQL is sent"),
    ("cmd/x.c", "if (PQsendQueryParams(c, sql) == 0) {", "SQL is sent"),
    ("reconciler/audit/x.c", "send_it = PQsendQuery;", "SQL is sent"),
    ("reconciler/loop/x.c", "mysql_query(m, sql);", "SQL is sent"),
    ("reconciler/db/starrocks.c", "mysql_real_query_start(&n, m, sql, 1);", "SQL is sent"),
    ("reconciler/ddl/x.c", "mysql_stmt_prepare(s, sql, 1);", "SQL is sent"),
    ("reconciler/kube/x.c", "char *p = malloc(3);", "memory comes from"),
    ("reconciler/model/x.c", "p = (char *)calloc (1, 3);", "memory comes from"),
    ("reconciler/db/x.c", "p = realloc(p, 3);", "memory comes from"),
    ("reconciler/loop/x.c", "free(p);", "memory comes from"),
    ("cmd/x.c", "p = strdup(q);", "memory comes from"),
    ("reconciler/ddl/x.h", "return strndup(q, 2);", "memory comes from"),
    ("reconciler/audit/x.c", 'asprintf(&p, "x");', "memory comes from"),
    ("reconciler/audit/x.c", "posix_memalign(&p, 8, 8);", "memory comes from"),
    ("reconciler/ddl/x.c", 'printf("x");', "only cmd/ prints"),
    ("reconciler/base/x.c", 'fprintf(stderr, "x");', "only cmd/ prints"),
    ("reconciler/db/x.c", 'fputs("x", stdout);', "only cmd/ prints"),
    ("reconciler/kube/x.c", "lg_to(stderr);", "only cmd/ prints"),
    ("reconciler/loop/x.def", 'puts("x")', "only cmd/ prints"),
    ("reconciler/model/x.c", 'dprintf(2, "x");', "only cmd/ prints"),
    ("reconciler/model/x.c", 'perror("x");', "only cmd/ prints"),
    ("reconciler/loop/x.c", "sleep(1);", "wait with cancel_sleep"),
    ("cmd/x.c", "usleep(10);", "wait with cancel_sleep"),
    ("reconciler/base/x.c", "clock_nanosleep(0, 0, &t, 0);", "wait with cancel_sleep"),
])
def test_calls(tree, name, line, says):
    write(tree, name, f'/* sleep(1);\n * free(x); */\nconst char *s = "a\\\nPQexec"; // printf("x");\n    {line}\n')
    (finding,) = check.rule_calls(tree)
    assert finding.startswith(f"{name}:5: ") and says in finding


def function(name, body_lines):
    return f"void {name}(int a,\n          int b)\n{{\n" + "    a += b;\n" * body_lines + "}\n"


def test_sizes(tree):
    write(tree, "reconciler/loop/fits.c", function("f", 58) + "\n" * (400 - 62))
    write(tree, "reconciler/loop/fits.h", "\n" * 150)
    write(tree, "reconciler/loop/table.def", "\n" * 900)
    assert list(check.rule_sizes(tree)) == []
    write(tree, "cmd/long.c", "\n" * 401)
    write(tree, "reconciler/loop/long.h", "\n" * 151)
    write(tree, "reconciler/ddl/long.c", function("f", 58) + "\n" + function("second", 59))
    assert list(check.rule_sizes(tree)) == [
        "cmd/long.c: 401 lines, the limit is 400",
        "reconciler/ddl/long.c:66: 61 lines in void second(int a,, the limit is 60",
        "reconciler/loop/long.h: 151 lines, the limit is 150"]


@pytest.mark.parametrize(("name", "line", "says"), [
    ("reconciler/loop/x.c", f"/* {LATER}: later */", "unfinished"),
    ("tests/x.py", f"# {FIX} later", "unfinished"),
    ("helm/templates/_x.tpl", f"{{{{/* {LATER}(me) */}}}}", "unfinished"),
    ("Dockerfile", "# " + "XX" + "X", "unfinished"),
    ("Makefile", f"# {LATER}_later", "unfinished"),
    (".ci/run", f"cd {MACHINE}/main", "a path of one machine"),
    ("README.md", f"in `{MACHINE}`", "a path of one machine"),
    ("tests/x.py", f'open("{USER_HOME}/x")', "a path of one machine"),
    ("crd/x.yaml", "file:///ro" + "ot/x", "a path of one machine"),
    ("tests/golden/x/notes.txt", "/ro" + "ot/.cache", "a path of one machine"),
])
def test_words(tree, name, line, says):
    write(tree, name, f"one\ntwo\n{line}\n")
    (finding,) = check.rule_words(tree)
    assert finding.startswith(f"{name}:3: {says}")


def test_words_looks_at_what_git_would_take(tree):
    """Not at what is ignored or no text; without git, at all of it."""
    write(tree, ".gitignore", "/build/\n")
    write(tree, "build/x.c", f"/* {FIX} */\n")
    (tree / "x.bin").write_bytes(b"\0" + FIX.encode())
    write(tree, "tests/recorded.jsonl", f'{{"path": "{MACHINE}/x"}}\n')
    assert list(check.rule_words(tree)) == []
    write(tree, "new name.c", f"/* {FIX} */\n")
    assert places(check.rule_words, tree) == ["new"]
    shutil.rmtree(tree / ".git")
    (tree / "new name.c").unlink()
    assert places(check.rule_words, tree) == ["build/x.c:1"]


@pytest.mark.parametrize(("name", "line"), [
    ("tests/integration/test_x.py", f"@pytest.mark.{SKIP}(reason='slow')"),
    ("tests/test_x.py", f"@pytest.mark.{SKIP}if(True)"),
    ("tests/test_x.py", f"    pytest.{SKIP}('no')"),
    ("tests/test_x.py", f"mysql = pytest.importor{SKIP}('mysql')"),
    ("tests/test_x.py", f"pytestmark = [mark.{XFAIL}]"),
    ("tests/test_x.py", f"    pytest.{XFAIL}('no')"),
    ("tests/test_x.py", f"from pytest import fixture, {SKIP}"),
    ("tests/test_x.py", f"    self.{SKIP}Test('no')"),
    ("tests/test_x.py", f"@unittest.{SKIP}Unless(x, 'no')"),
    ("tests/conftest.py", "collect_ig" + "nore = ['test_x.py']"),
    ("tests/unit/base/test_x.c", f"    {SKIP}();"),
])
def test_skips(tree, name, line):
    write(tree, name, f"\n{line}\n")
    assert list(check.rule_skips(tree)) == [f"{name}:2: a skipped test proves nothing"]


def test_format(tree):
    write(tree, "reconciler/loop/x.c", "int a;\nint  b;\nint  c;\n")
    write(tree, "tests/unit/loop/x.h", "char* p;\n")
    write(tree, "reconciler/loop/x.def", "ROW( a )\n")
    assert list(check.rule_format(tree)) == ["reconciler/loop/x.c:2: run `make format`",
                                             "tests/unit/loop/x.h:1: run `make format`"]


def test_format_tells_when_it_could_not_look(tree):
    write(tree, ".clang-format", "NoSuchOption: 1\n")
    (finding,) = check.rule_format(tree)
    assert finding.startswith("clang-format failed: ") and "NoSuchOption" in finding


def test_documents(tree):
    write(tree, "tests/checks/good_reference.py", "")
    assert list(check.rule_documents(tree)) == []
    write(tree, "tests/checks/other_reference.py",
          "import sys\nprint('crd/README.md is old', file=sys.stderr)\nsys.exit(sys.argv[1:] == ['--check'])\n")
    assert list(check.rule_documents(tree)) == ["tests/checks/other_reference.py: crd/README.md is old"]


def test_the_program_ends_with_what_it_found(tree, monkeypatch, capsys):
    monkeypatch.setattr(check, "ROOT", tree)
    assert check.main() == 0
    assert capsys.readouterr().out == f"check: {len(check.RULES)} rules, 0 findings\n"
    write(tree, "cmd/x.c", "int a;\n" * 401)
    assert check.main() == 1
    assert capsys.readouterr().out == (
        f"cmd/x.c: 401 lines, the limit is 400\ncheck: {len(check.RULES)} rules, 1 findings\n")


def test_every_rule_is_run():
    rules = [found for name, found in vars(check).items() if name.startswith("rule_")]
    assert rules == check.RULES
