"""Errors of the operating system, in the same words on every system and in every language."""

from __future__ import annotations

import errno

REFUSED = {  # by the name of the errno
    "ENOENT": "there is no such file or folder",
    "EACCES": "permission denied",
    "EPERM": "permission denied",
    "ENOTDIR": "a file stands where the path has a folder",
    "EISDIR": "it is a folder",
    "ENAMETOOLONG": "the name is too long",
    "ELOOP": "its links lead in a circle",
    "EROFS": "the disk may only be read",
    "ENOSPC": "no room is left on the disk",
    "EDQUOT": "no room is left for this user",
    "EFBIG": "files may not become so large here",
    "EIO": "the disk cannot be read or written",
    "EMFILE": "too many files are open",
    "ENFILE": "too many files are open",
    "EAGAIN": "the system has no more to give",
    "ENOMEM": "out of memory",
}


def why(error: BaseException, doing: str = "") -> str:
    """Why something failed: our words for an errno, else the words of the error.

    For an error without words: its class, and what was being done.
    """
    refused = REFUSED.get(errno.errorcode.get(error.errno or 0, "")) if isinstance(error, OSError) else None
    words = refused or getattr(error, "strerror", None) or str(error)
    if words.strip():
        return words
    kind = "out of memory" if isinstance(error, MemoryError) else type(error).__name__
    return f"{kind} while {doing}" if doing else kind
