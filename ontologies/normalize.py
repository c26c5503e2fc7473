"""Tokens of a text or a name, and the normal form under which both are looked up.

A token is a run of letters, a run of digits, or a single letter of another script: `CYP2D6` is
five tokens, and what stands between tokens (space, hyphen, nothing) does not enter the look-up.
The normal form takes away case, accents, the plural, a final `e`, British spelling, Greek letters
and Roman numerals. Applied to names and to texts alike it need not be a word, only the same.
"""

from __future__ import annotations

import re
import unicodedata

NORMALIZE_VERSION = 3
"""Raised when a normal form changes: compiled lexicons and trained weights depend on it."""

LETTERS = r"a-zA-Z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f"
"""Letters that run on in a token, as the inside of a character class."""

TOKEN = re.compile(rf"([{LETTERS}]+(?:['’]s(?![a-zA-Z]))?|\d+|[^\W\d_])")
"""`TOKEN.split(text)` alternates separators and tokens, a separator first and last."""

_GREEK_LETTERS = "αβγδεζηθικλμνξοπρςστυφχψωµ"
_GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho "
    "sigma sigma tau upsilon phi chi psi omega mu"
)
_GREEK = dict(zip(_GREEK_LETTERS, _GREEK_NAMES.split(" "), strict=True))
_NUMERALS = "I II III IV V VI VII VIII IX X XI XII XIII"
_ROMAN = {numeral: str(value) for value, numeral in enumerate(_NUMERALS.split(" "), start=1)}
_ROMAN |= {"ii": "2", "iii": "3", "iv": "4"}
_SPELLING = (
    (re.compile("[ao]e"), "e"),
    (re.compile("sulph"), "sulf"),
    (re.compile("our(?=s?$)"), "or"),
    (re.compile("is(?=ation|ed$|ing$)"), "iz"),
    (re.compile("lys(?=e[ds]?$)"), "lyz"),
    (re.compile("tre(?=s?$)"), "ter"),
)
_SPELT = re.compile("[ao]e|sulph|our|is|lys|tre")
"""What must occur in a word for any of the rules of spelling to change it."""

_IRREGULAR = {
    "media": "medium", "bacteria": "bacterium", "thrombi": "thrombus", "emboli": "embolus",
    "calculi": "calculus", "bacilli": "bacillus", "stimuli": "stimulus", "fungi": "fungus",
    "nevi": "nevus", "foci": "focus", "nuclei": "nucleus", "ganglia": "ganglion",
    "diverticula": "diverticulum", "vertebre": "vertebra", "bronchi": "bronchus",
    "septa": "septum", "atria": "atrium", "viscera": "viscus", "teeth": "tooth", "feet": "foot",
    "mice": "mouse", "children": "child", "women": "woman",
}  # fmt: skip
"""Plurals with another stem, after British spelling is gone (vertebrae: vertebre)."""

_SHORT = 4
_SYMBOL = 5


def _singular(word: str) -> str:
    """The stem that a noun's singular and plural share (metastasis, metastases: metastas)."""
    word = _IRREGULAR.get(word, word)
    if word.endswith("omata"):
        return word[:-2]
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "uses")):
        return word[:-2]
    if word.endswith(("ss", "us")):
        return word
    if word.endswith("is"):
        return word[:-2] if len(word) > _SYMBOL else word
    word = word.removesuffix("s")
    # Short words keep their e: a rate is no rat.
    return word.removesuffix("e") if len(word) > _SYMBOL else word


def normal_form(token: str) -> str:
    """The key of one token.

    >>> normal_form("Tumours"), normal_form("tumor"), normal_form("β"), normal_form("Crohn’s")
    ('tumor', 'tumor', 'beta', 'crohn')
    >>> normal_form("AIDS"), normal_form("aids")  # a short symbol has no plural
    ('aids', 'aid')
    """
    if token in _ROMAN:
        return _ROMAN[token]
    if token[-2:] in ("'s", "’s"):
        token = token[:-2]
    word = token.lower()
    if not word.isascii():
        parts = unicodedata.normalize("NFKD", word)
        word = "".join(c for c in parts if not unicodedata.combining(c)) or word
        word = _GREEK.get(word, word)
    if len(word) < _SHORT or not word.isascii() or not word.isalpha():
        return word
    if len(word) > _SHORT and _SPELT.search(word):
        for pattern, plain in _SPELLING:
            word = pattern.sub(plain, word)
    if token.isupper() and len(word) <= _SYMBOL:
        return word
    return _singular(word)


def normal_name(text: str) -> str:
    """A whole name in normal form, its tokens joined by spaces."""
    return " ".join(map(normal_form, TOKEN.findall(text)))
