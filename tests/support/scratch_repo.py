"""A git repository of a test's own, in which nothing of the reader's settings counts."""

import os
import shutil
import subprocess

OWN = {
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0",
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
       for what, value in {"NAME": "x", "EMAIL": "x@example.org", "DATE": "2026-01-01T00:00:00Z"}.items()},
}  # fmt: skip
SPEC = """name: {name}
title: t
source: s
knobs:
  w: {{default: 1, kind: real}}
input: [3, 8, 8]
layers:
  - conv: {{channels: {channels}*w, kernel: 3, padding: same, bias: false}}
  - relu
"""


class ScratchRepo:
    """Files in a folder, and git's history of them."""

    def __init__(self, folder, *, new=True):
        self.folder = folder
        if new:
            folder.mkdir(exist_ok=True)
            self.git("init", "-q", "-b", "main")

    def copied(self, folder):
        """The same files and history in another folder: sooner than to commit them again."""
        shutil.copytree(self.folder, folder)
        return ScratchRepo(folder, new=False)

    def git(self, *words):
        """What git prints."""
        return subprocess.run(
            ["git", *words], cwd=self.folder, env={**os.environ, **OWN}, check=True, capture_output=True, text=True
        ).stdout

    def write(self, path, text):
        """Writes a file."""
        (self.folder / path).parent.mkdir(exist_ok=True)
        (self.folder / path).write_text(text, encoding="utf-8")

    def spec(self, path, channels=4, name=None):
        """Writes a spec of one convolution: 3·3·3·channels params."""
        self.write(path, SPEC.format(name=name or path.rpartition("/")[2].partition(".")[0], channels=channels))

    def config(self, *lines):
        """Writes the section of pyproject.toml."""
        self.write("pyproject.toml", "\n".join(["[tool.costcalc]", *lines]) + "\n")

    def commit(self):
        """Commits everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")
