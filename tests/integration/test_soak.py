"""The short version of `make soak`: a minute of churn with flat memory and descriptors, and everything streams after it."""

import os

import pytest

from bench.soak import soak

from . import leaving

pytestmark = pytest.mark.quiet
SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))


def test_a_minute_of_churn(oracle56, tmp_path, capsys):
    def say(text):
        with capsys.disabled():
            print(f"\n{text}", end="")

    with leaving.own_system(oracle56, tmp_path) as system:
        samples = soak(system, tmp_path, SECONDS, say)
    assert len(samples.at) > SECONDS / 2
