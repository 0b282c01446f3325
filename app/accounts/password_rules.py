"""Which passwords are refused: short ones, common ones, and those made of what everybody can guess.

Length matters most (NIST SP 800-63B): there are no rules about kinds of characters, but a common password
does not become a good one by a capital letter and a year.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from app.core.errors import Invalid

SHORTEST = 10
LONGEST = 1000  # a bound for the hash's work, beyond any passphrase
FEWEST_DIFFERENT_CHARACTERS = 5
FEWEST_OF_ONES_OWN = 6
COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt")
RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "!@#$%^&*()",
)
LOOK_ALIKES = str.maketrans("0134578@$!", "oleastbasi")
EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def refuse_weak(password: str, *about: str) -> None:
    """Raise Invalid for a password that is too short or easy to guess.

    `about` are the words that others know of the person: username, e-mail address, name.
    """
    if len(password) < SHORTEST:
        raise _refused(f"A password needs at least {SHORTEST} characters. A few words in a row do well.")
    if len(password) > LONGEST:
        raise _refused(f"A password may have at most {LONGEST} characters.")
    lowered = password.lower()
    if is_common(lowered) or is_monotonous(lowered):
        raise _refused("This password is among those that are tried first. Take a few unrelated words.")
    if _is_made_of(lowered, _words(about)):
        raise _refused("This password is mostly your own name or address. Take a few unrelated words.")


def is_common(lowered: str) -> bool:
    """Whether the password, or its core without digits around it and look-alikes in it, is a common one."""
    common = _common_passwords()
    letters = re.sub(r"[\W_]+", "", lowered)
    spellings = {lowered, letters, EDGES.sub("", lowered), EDGES.sub("", letters)}
    spellings |= {spelling.translate(LOOK_ALIKES) for spelling in spellings}
    return not common.isdisjoint(spellings)


def is_monotonous(lowered: str) -> bool:
    """Whether it is a few characters again and again, or only runs along the alphabet or the keyboard."""
    if len(set(lowered)) < FEWEST_DIFFERENT_CHARACTERS:
        return True
    return _outside_of_runs(lowered) < FEWEST_DIFFERENT_CHARACTERS


def _outside_of_runs(lowered: str) -> int:
    """How many characters do not belong to a run of four or more, forwards or backwards."""
    outside, position = 0, 0
    while position < len(lowered):
        length = max(_run_at(lowered, position, run) for run in (*RUNS, *(run[::-1] for run in RUNS)))
        outside += length < 4
        position += length if length >= 4 else 1
    return outside


def _run_at(text: str, position: int, run: str) -> int:
    length = 1
    while position + length < len(text) and text[position : position + length + 1] in run:
        length += 1
    return length


def _is_made_of(lowered: str, words: Iterable[str]) -> bool:
    rest = lowered
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest != lowered and len(rest) < FEWEST_OF_ONES_OWN


def _words(about: Iterable[str]) -> set[str]:
    parts = {part for text in about for part in (text.lower(), *re.split(r"[\W_]+", text.lower()))}
    return {part for part in parts if len(part) >= 3} | {"parley"}


@cache
def _common_passwords() -> frozenset[str]:
    lines = COMMON_PASSWORDS.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _refused(sentence: str) -> Invalid:
    return Invalid(sentence, field="password")
