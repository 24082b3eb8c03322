"""Files of a revision in git, read as data: nothing is checked out, no filter or hook runs, nothing is fetched.

Revision("main", Path.cwd()).read(["nets/my_net.yaml"])
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from costcalc.errors import UsageError, did_you_mean, nearest, shorten
from costcalc.spec.limits import MAX_BYTES

PREFIX = "git:"
TIMEOUT_S = 60
SHORT = 7  # digits of a commit that are shown
FILE_MODES = ("100644", "100755")
UNREAD_MODES = {"120000": "it is a link there", "040000": "it is a folder there", "160000": "it is a submodule there"}
DROPPED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")  # a hook of git sets them for another folder
SET = {
    "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none",  # a clone without contents would fetch them
}  # fmt: skip


class Revision:
    """A commit that a reader names, `main`, `v1.0`, `HEAD~3`, and its files. Paths are as on this disk; `folder` is in
    the repository. Of a branch it is the commit where the branch of today left it.

    Raises UsageError for a folder without a repository, and a revision that does not exist; OSError without git.
    """

    def __init__(self, name: str, folder: Path, max_bytes: int = MAX_BYTES):
        self.name = name.removeprefix(PREFIX)
        self.folder, self.max_bytes = folder, max_bytes
        said = self._git("rev-parse", "--show-prefix", "--is-shallow-repository")
        if said is None:
            raise UsageError(f"--against {shorten(name)}: {self._refusal}")
        self.prefix, shallow = said.decode("utf-8", "surrogateescape").split("\n")[:2]
        self.is_shallow = shallow == "true"
        self.tip = self._commit()
        self.commit = self._left_at() or self.tip
        self._folders: dict[str, dict[str, tuple[str, str]]] = {}
        self._read: dict[str, bytes | None] = {}

    @property
    def at(self) -> str:
        """`main (1a2b3c4)`, for a title."""
        more = "" if self.commit == self.tip else f", where this branch left it; it is at {self.tip[:SHORT]} now"
        return f"{self.name} ({self.commit[:SHORT]}{more})"

    def paths(self, folder: str) -> list[str]:
        """The paths of the files in a folder, not those below it."""
        return [os.path.join(folder, name) for name, (mode, _) in self._entries(folder).items() if mode in FILE_MODES]

    def has(self, path: str) -> bool:
        """Does the revision have something at this path?"""
        return self._entry(path) is not None

    def has_text(self, path: str, data: bytes) -> bool:
        """Does the revision have just these bytes at this path?"""
        entry = self._entry(path)
        return entry is not None and entry == (FILE_MODES[0], self._blob_id(data, len(entry[1])))

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The bytes of each path that is a file there, and no larger than a spec may be; for all paths at once, since
        each start of git takes as long as a count."""
        entries = {path: entry for path in paths if (entry := self._entry(path)) and entry[0] in FILE_MODES}
        wanted = dict.fromkeys(number for _, number in entries.values() if number not in self._read)
        if wanted:
            self._read.update(self._blobs([*wanted]))
        found = {path: self._read.get(number) for path, (_, number) in entries.items()}
        return {path: data for path, data in found.items() if data is not None}

    def why_unread(self, path: str) -> str:
        """Why something at this path cannot be read."""
        mode, _ = self._entry(path) or ("", "")
        return UNREAD_MODES.get(mode, f"it has more than {self.max_bytes:,} bytes")

    # --- git ---------------------------------------------------------------------------------------------------------

    def _git(self, *words: str, given: bytes = b"") -> bytes | None:
        """What git prints; None if it refuses."""
        env = {**{key: value for key, value in os.environ.items() if key not in DROPPED}, **SET}
        try:
            done = subprocess.run(
                ["git", "-c", "core.quotePath=false", "-C", str(self.folder), *words],
                input=given, capture_output=True, env=env, timeout=TIMEOUT_S,
            )  # fmt: skip
        except FileNotFoundError:
            raise OSError(None, "--against reads the history that git keeps, and git is not installed") from None
        except subprocess.TimeoutExpired:
            raise OSError(None, f"git did not answer in {TIMEOUT_S} s") from None
        first, *_ = done.stderr.decode(errors="replace").split("\n")
        self._refusal = f"git says: {shorten(first.partition(': ')[2] or first, 300)}"
        return done.stdout if done.returncode == 0 else None

    def _commit(self) -> str:
        """The hash of the commit that is named."""
        if not self.name or self.name.startswith("-") or "\0" in self.name or "\n" in self.name:
            raise UsageError(f"{shorten(self.name)!r} is no revision; write --against git:main")
        found = self._git("rev-parse", "--verify", "--quiet", f"{self.name}^{{commit}}")
        if found is None:
            raise UsageError(f"there is no revision {shorten(self.name)!r} in this repository", self._how_to_get())
        return found.decode().strip()

    def _how_to_get(self) -> str:
        """What to do about a revision that is not here."""
        known = self._git("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags") or b""
        names, away = known.decode(errors="replace").split(), f"origin/{self.name}"
        is_plain = re.fullmatch(r"[\w./-]+", self.name) is not None
        fetch = f"git fetch {'--depth=1 ' * self.is_shallow}origin {self.name.removeprefix('origin/')}"
        how = f"`{fetch}` brings it, then --against git:FETCH_HEAD"
        if away in names:
            return f"did you mean {away!r}?"
        if self.is_shallow:
            before = "`git fetch --unshallow` brings the commits before"
            return f"this clone is shallow; {how if is_plain else before}"
        if nearest(self.name, names) or not is_plain or not self._git("remote"):
            return did_you_mean(self.name, names)
        return how

    def _left_at(self) -> str | None:
        """Of a branch the commit that the branch of today shares with it; None for another revision, and where the
        history of a shallow clone ends before."""
        full = (self._git("rev-parse", "--symbolic-full-name", self.name) or b"").decode(errors="replace").strip()
        if not full.startswith(("refs/heads/", "refs/remotes/")):
            return None
        shared = self._git("merge-base", "HEAD", self.tip)
        return shared.decode().split()[0] if shared else None

    # --- its files ---------------------------------------------------------------------------------------------------

    def relative(self, path: str) -> str:
        """The path from the top of the repository. Raises UsageError for one outside of it."""
        inside = os.path.relpath(path, self.folder).replace(os.sep, "/")
        found = posixpath.normpath(posixpath.join(self.prefix, inside))
        if found.startswith("../") or posixpath.isabs(found):
            raise UsageError(f"{path!r} is outside of the repository of {str(self.folder)!r}")
        return found

    def _entry(self, path: str) -> tuple[str, str] | None:
        return self._entries(os.path.dirname(path)).get(os.path.basename(path))

    def _entries(self, folder: str) -> Mapping[str, tuple[str, str]]:
        """Mode and hash of all that a folder holds, by name."""
        if folder not in self._folders:
            inside = self.relative(folder)
            below = [] if inside == "." else ["--", f"{inside}/"]
            listed = self._git("ls-tree", "-z", "--full-tree", self.commit, *below) or b""
            found = {}
            for line in listed.decode("utf-8", "surrogateescape").split("\0")[:-1]:
                about, _, name = line.partition("\t")
                mode, _, number = about.split(" ")
                found[name.rpartition("/")[2]] = (mode, number)
            self._folders[folder] = found
        return self._folders[folder]

    def _blobs(self, numbers: list[str]) -> dict[str, bytes | None]:
        """The bytes by hash; None for one that is too large. Raises UsageError if this clone lacks one."""
        asked = "".join(f"{number}\n" for number in numbers).encode()
        sizes = [line.split() for line in (self._git("cat-file", "--batch-check", given=asked) or b"").splitlines()]
        by_hash = {line[0].decode(): int(line[2]) for line in sizes if line[1:2] == [b"blob"]}
        if len(by_hash) < len(numbers):
            said = f"this clone lacks contents of {self.name}"
            raise UsageError(said, "`git fetch --refetch --no-filter` brings them")
        small = [number for number, size in by_hash.items() if size <= self.max_bytes]
        data = self._git("cat-file", "--batch", given="".join(f"{number}\n" for number in small).encode()) or b""
        found: dict[str, bytes | None] = dict.fromkeys(numbers)
        start = 0
        for number in small:
            end = data.index(b"\n", start)
            size, start = int(data[start:end].split()[2]), end + 1
            found[number] = data[start : start + size]
            start += size + 1
        return found

    @staticmethod
    def _blob_id(data: bytes, digits: int) -> str:
        """The hash that git gives these bytes: its name of a content, no secret."""
        make = hashlib.sha1 if digits == 40 else hashlib.sha256
        return make(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
