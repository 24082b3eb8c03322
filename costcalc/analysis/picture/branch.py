"""A line of a tree, and its words in few characters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Branch:
    """A line of a tree and what is below it: a box, a frame, or a branch of either. `boxes` are the numbers of the
    boxes that it stands for, none for a shortcut. `short_ops` are its ops in few characters, one by one; none if
    `what` is not about ops. `reads` says what it reads."""

    name: str
    what: str
    boxes: tuple[int, ...]
    below: tuple[Branch, ...] = ()
    short_ops: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reads: str = ""

    @property
    def words(self) -> str:
        """What it is, and what it reads."""
        return self._with_rest(self.what)

    def _with_rest(self, what: str) -> str:
        return " ".join(filter(None, (", ".join(filter(None, (what, *self.notes))), self.reads)))

    def shorter_words(self, size: int) -> str:
        """Its words in at most so many characters, if they can be: `7×7 conv/2+BN+ReLU` for `7×7 conv /2 + BN + ReLU`,
        and where that is too long `7×7 conv/2…`, without what stands behind the first op. What it reads stays."""
        whole = self._with_rest("+".join(self.short_ops) or self.what)
        if len(whole) <= size or self.reads or not self.short_ops:
            return whole
        most = len(self.short_ops) - (not self.notes)
        fewer = ["+".join(self.short_ops[:count]) + "…" for count in range(most, 0, -1)]
        return next((form for form in fewer if len(form) <= size), self.short_ops[0])
