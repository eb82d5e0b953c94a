# SPDX-License-Identifier: BSD-3-Clause
"""Asks everyday questions of the documentation's search box, in a real browser.

    python docs/check_search.py docs/_build/html

``docs/search_questions.txt`` has the questions and the pages that answer them: one of these must be among
the first three hits. It needs the package playwright and Chromium.
"""

import argparse
import re
import sys
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

from check_pages import launch, serve
from playwright.sync_api import sync_playwright

QUESTIONS = Path(__file__).with_name("search_questions.txt")
FIRST = 3
# The search is over once it says how many pages it found.
DONE = "() => document.querySelector('#search-results .search-summary')?.textContent.match(/found|did not/)"


def questions():
    """Return pairs: a question, and the pages that answer it."""
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" -> ") for line in lines if not line.startswith("#"))
    return [(question, re.split(", *", pages)) for question, pages in pairs]


def ask(folder):
    """Return for each question what answers it, and the first hits."""
    server, address = serve(folder)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        answers = []
        for question, pages in questions():
            page.goto(f"{address}search.html?q={quote_plus(question)}")
            page.wait_for_function(DONE)
            links = page.locator("#search-results ul.search > li > a").all()
            found = [urlsplit(link.get_attribute("href")).path for link in links[:FIRST]]
            answers.append((question, pages, [path.removesuffix(".html") for path in found]))
        browser.close()
    server.shutdown()
    return answers


def main():
    """Ask, print the questions that lead elsewhere, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    answers = ask(parser.parse_args().folder.resolve())
    astray = [answer for answer in answers if not {*answer[1]} & {*answer[2]}]
    for question, pages, found in astray:
        print(f"{question} leads to {', '.join(found) or 'nothing'}, not to {' or '.join(pages)}")
    print(f"{len(answers)} questions: {len(astray)} lead elsewhere")
    return bool(astray)


if __name__ == "__main__":
    sys.exit(main())
