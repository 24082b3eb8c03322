"""Models from outside (T13): what may be pickled is never opened, whatever the command."""

import pickle

import pytest
from support import needed

from costcalc.cli.app import run

SUFFIXES = ("pt", "pth", "ckpt", "bin", "pkl", "PKL", "npy", "npz", "joblib", "PT")


class Canary:
    """Unpickled, it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("command", ["show", "verify", "time"])
def test_pickled_files_are_never_opened(suffix, command, tmp_path, capsys):
    if command != "show":
        needed.module("torch", "torch")
    canary, path = tmp_path / "canary", tmp_path / f"model.{suffix}"
    path.write_bytes(pickle.dumps(Canary(canary)))
    assert run([command, str(path)]) == 2
    assert "costcalc never opens such files" in capsys.readouterr().err
    assert not canary.exists()


def test_the_canary_would_sing(tmp_path):
    pickle.loads(pickle.dumps(Canary(tmp_path / "canary"))).close()  # noqa: S301  our own
    assert (tmp_path / "canary").exists()
