# SPDX-License-Identifier: BSD-3-Clause
"""Parse numbers as written in tables: 1234.5, "1,234.50", "$1,234", "12.3%", "1.234,50 €"."""

import math
import re

CURRENCIES = "$€£¥₹"
MINUS = "\N{MINUS SIGN}"


def _pattern(separators, decimal):
    """Return the pattern of numbers with these separators of thousands and decimals."""
    return re.compile(
        rf"""(?P<open>\()?                                   # (5): minus 5, as accountants write it
        (?P<sign>[-+{MINUS}]?)\ ?(?P<before>[{CURRENCIES}]?)\ ?(?P<sign_after>[-{MINUS}]?)
        (?P<whole>[0-9]{{1,3}}(?P<separator>[{separators}])[0-9]{{3}}(?:(?P=separator)[0-9]{{3}})*
                 |[0-9]*)
        (?:[{decimal}](?P<fraction>[0-9]*))?(?:[eE](?P<power>[-+]?[0-9]+))?
        [ \u00a0\u202f]?(?P<after>[{CURRENCIES}%]?)(?(open)\))""",
        re.VERBOSE,
    )


SPACES = " \u00a0\u2009\u202f'\u2019"
POINT = _pattern("," + SPACES, ".")
COMMA = _pattern("." + SPACES, ",")


def read_numbers(texts, comma_first=False):
    """Read a column as numbers, if all its values are numbers in one format.

    Parameters
    ----------
    texts : list of str or None
        The values; None is a missing one.
    comma_first : bool, default=False
        Whether to prefer 1.234 over 1234 for ``"1,234"``.

    Returns
    -------
    list of float or None
        The numbers, NaN for a missing one; None if some value is not a number, or if the column
        holds amounts in several currencies. A percentage is a hundredth.
    """
    numbers = _all_or_none(_plain_number(text) for text in texts)
    for pattern in (COMMA, POINT) if comma_first else (POINT, COMMA):
        if numbers is None:
            signs = set()
            numbers = _all_or_none(_written_number(text, pattern, signs) for text in texts)
            if len(signs) > 1:
                return None
    return numbers


def is_number(text):
    """Return whether a text looks like a number in any of these formats."""
    return read_numbers([text]) is not None


def _all_or_none(numbers):
    read = []
    for number in numbers:
        if number is None:
            return None
        read.append(number)
    return read


def _plain_number(text):
    """Return the number as read by Python, NaN if missing, None if it is not a finite number."""
    if text is None:
        return math.nan
    try:
        number = float(text)
    except ValueError:
        return None
    # 1_000, a number in Python, is more likely a name
    return number if math.isfinite(number) and "_" not in text else None


def _written_number(text, pattern, currencies):
    match = None if text is None else pattern.fullmatch(text)
    if match is None or not (match["whole"] or match["fraction"]):
        return _plain_number(text)
    whole = match["whole"].replace(match["separator"] or " ", "")
    minus = [match["open"], match["sign"] in ("-", MINUS), match["sign_after"]]
    if sum(map(bool, minus)) > 1:
        return None
    currencies.update({match["before"], match["after"]} - {"", "%"})
    power = int(match["power"] or 0) - (2 if match["after"] == "%" else 0)
    sign = "-" if any(minus) else ""
    return _plain_number(f"{sign}{whole or 0}.{match['fraction'] or 0}e{power}")
