"""Running the commands that look and touch nothing: `tablesync check` and `tablesync discover`."""

import json
import os
import subprocess

from .system import assert_no_secret

OK, FAILED, USAGE = 0, 1, 2


class Looker:
    """One command, with files of its own and with no other way to a cluster than it is given."""

    def __init__(self, command, folder, kubeconfig):
        self.command, self.folder, self.kubeconfig = command, folder, kubeconfig
        self.files = 0

    def write(self, *documents):
        self.files += 1
        path = self.folder / f"{self.command}-{self.files}.yaml"
        path.write_text("\n---\n".join(json.dumps(d) for d in documents), encoding="utf-8")
        return path

    def run(self, *arguments, cluster=True, given=None, command=None):
        """Whatever it prints holds no password."""
        more = ["--kubeconfig", str(self.kubeconfig)] if cluster else []
        done = subprocess.run([os.environ["TABLESYNC_BIN"], command or self.command, *map(str, arguments), *more], input=given,
                              text=True, capture_output=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], "HOME": str(self.folder)})
        assert_no_secret(done.stdout + done.stderr, f"what {self.command} {arguments} printed")
        return done

    def good(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert (done.returncode, done.stderr) == (OK, ""), done
        return done.stdout

    def json(self, *arguments, code=OK, **options):
        done = self.run(*arguments, "-o", "json", **options)
        assert done.returncode == code, done
        return json.loads(done.stdout)

    def refused(self, *arguments, code=USAGE, **options):
        """It prints nothing and says why in one line; returns the line."""
        done = self.run(*arguments, **options)
        assert (done.returncode, done.stdout) == (code, ""), done
        lines = done.stderr.splitlines()
        assert len(lines) == 1 and lines[0].startswith("tablesync: "), done.stderr
        return lines[0]
