"""How wide texts are, for layouts that do not know the reader's font.

Advances of DejaVu Sans in hundredths of an em, read from its files: the widest of the usual fonts, and that of
matplotlib's pictures. Arial, Helvetica and Liberation Sans fit into the same boxes.
"""

from __future__ import annotations

from costcalc.table.aligned import text_width as columns_of

REGULAR = {
    27: "'", 28: "ijl", 29: "IJ", 32: " ,.·", 34: "/:;\\|", 35: "f", 36: "-", 39: "()[]t", 40: "!²³⁰¹⁴⁵⁶⁷⁸⁹", 41: "r",
    46: '"', 50: "*_`–", 52: "sz", 53: "?", 55: "c", 56: "L", 58: "Fk", 59: "vxyγ", 60: "P", 61: "TYao", 62: "e",
    63: "ESbdghnpquη", 64: "$0123456789{}√β", 66: "Kαφ", 68: "AV", 69: "BRXZ", 70: "C", 73: "U", 75: "HN", 77: "DG",
    78: "&", 79: "OQ", 82: "w", 84: "#+<=>^~×÷−±≤≥→", 86: "M", 95: "%", 97: "m", 99: "W", 100: "@—…",
}  # fmt: skip
BOLD = {
    31: "'", 34: "ijl", 35: " ", 37: "/IJ\\|", 38: ",.·", 40: ":;", 42: "-", 44: "f²³⁰¹⁴⁵⁶⁷⁸⁹", 46: "!()[]", 48: "t",
    49: "r", 50: "_`–", 52: '"*', 58: "?z", 59: "c", 60: "s", 64: "L", 65: "vxy", 67: "ak√", 68: "EFTeγ", 69: "oα",
    70: "$0123456789", 71: "hnu{}η", 72: "SYbdgpqβ", 73: "CPZ", 76: "B", 77: "AKRVX", 78: "φ", 81: "U", 82: "G",
    83: "D", 84: "#+<=>HN^~×÷−±≤≥→", 85: "OQ", 87: "&", 92: "w", 100: "%@M—…", 104: "m", 110: "W",
}  # fmt: skip
OTHER = 70  # a letter of another script; ideographs take twice as much
ADVANCES = [{char: width for width, chars in table.items() for char in chars} for table in (REGULAR, BOLD)]


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a text in px, of type of this size in px."""
    known = ADVANCES[bold]
    return size * sum([known.get(character) or OTHER * max(columns_of(character), 1) for character in text]) / 100


def cut_in_the_middle(text: str, most: int) -> str:
    """A text of at most so many characters, with … in place of its middle."""
    if len(text) <= most:
        return text
    ahead = most // 2
    return f"{text[:ahead]}…{text[len(text) - (most - 1 - ahead) :]}"


def cut_between_words(text: str, most: int, separator: str = " ") -> str:
    """A text of at most so many characters, with … in place of whole words in its middle; if its first and its last
    word are too long, as `cut_in_the_middle`. The `separator` stands between words."""
    if len(text) <= most:
        return text
    words = text.split(separator)
    ahead, behind = words[:1], words[-1:]
    for word in words[1:-1]:
        if len(separator.join([*ahead, word, "…", *behind])) > most:
            break
        ahead.append(word)
        last = words[-len(behind) - 1]
        if len(separator.join([*ahead, "…", last, *behind])) <= most:
            behind.insert(0, last)
    found = separator.join([*ahead, "…", *behind])
    return found if len(found) <= most else cut_in_the_middle(text, most)
