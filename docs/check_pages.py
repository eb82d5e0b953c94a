# SPDX-License-Identifier: BSD-3-Clause
"""Opens every built page in a real browser, on a phone and on a desktop, without a network.

    python docs/check_pages.py docs/_build/html

It fails where something is wider than the screen, a formula is not rendered, a picture has no alternative
text, an animation cannot be stopped from the keyboard or moves for readers who want no motion, or a page
asks another host for something. It needs the package playwright and Chromium.
"""

import argparse
import functools
import http.server
import os
import shutil
import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTHS = {"phone": 390, "desktop": 1280}
# What a page says of itself: elements that stick out, formulas as text, pictures without words.
LOOK = """
() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element) => {
        for (let e = element; e && e !== document.body; e = e.parentElement) {
            if (e.matches(".bd-article-container, .bd-content, .bd-main")) return false;  // the page itself
            const how = getComputedStyle(e).overflowX;
            if (e !== element && (how === "auto" || how === "scroll")) return true;
        }
        return false;
    };
    const hidden = (element) => {
        const style = getComputedStyle(element);
        const away = style.visibility === "hidden" || style.display === "none";
        return away || element.closest("dialog:not([open])");
    };
    const wide = [], cut = [];
    for (const element of document.querySelectorAll("main *, header *, footer *, article *")) {
        if (element.closest("svg") && element.tagName !== "svg") continue;
        if (element.closest("mjx-assistive-mml, .visually-hidden, .headerlink")) continue;
        const box = element.getBoundingClientRect();
        if (!box.width || !box.height || hidden(element)) continue;
        if (box.right > width + 1 && !scrolls(element)) wide.push(element);
        const style = getComputedStyle(element);
        if (element.closest(".math")) continue;  // the words for screen readers are wider than the formula
        const cuts = style.overflowX === "hidden" && element.clientWidth > 1;
        if (cuts && element.scrollWidth > element.clientWidth + 1) cut.push(element);
    }
    const words = (e) => (e.textContent || "").trim().slice(0, 60);
    const name = (e) => e.tagName.toLowerCase() + "." + e.className + ": " + words(e);
    const all = (what) => [...document.querySelectorAll(what)];
    return {
        scroll: document.documentElement.scrollWidth > width + 1,
        wide: wide.map(name),
        cut: cut.map(name),
        formulas: all(".math").filter((e) => !e.querySelector("mjx-container")).map(name),
        alt: all("main img").filter((e) => !(e.alt || "").trim()).map((e) => e.src),
    };
}
"""


# The animations that move now, by their alternative texts.
MOVING = """
() => [...document.querySelectorAll("img")]
    .filter((e) => /^data:image.gif|[.]gif$/.test(e.currentSrc)).map((e) => e.alt)
"""


def check(folder, only=(), pictures=None, scheme="light"):
    """Return the complaints about the pages of a folder."""
    server, address = serve(folder)
    pages = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    pages = [page for page in pages if not page.startswith("_") and (not only or page in only)]
    complaints = []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name, width in WIDTHS.items():
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme
            )
            foreign = []
            context.on("request", functools.partial(note_foreign, address, foreign))
            page = context.new_page()
            for path in pages:
                foreign.clear()
                page.goto(address + path)
                page.wait_for_function(
                    "() => !window.MathJax || !MathJax.startup || !MathJax.startup.promise || "
                    "MathJax.startup.promise.then(() => true)"
                )
                seen = page.evaluate(LOOK)
                complaints += [f"{name}, {path}: asks for {url}" for url in sorted(set(foreign))]
                if seen.pop("scroll"):
                    complaints.append(f"{name}, {path}: the page scrolls sideways")
                for what, elements in seen.items():
                    complaints += [f"{name}, {path}: {what}: {each}" for each in elements[:5]]
                complaints += [f"{name}, {path}: {each}" for each in animations(page)]
                if pictures:
                    page.screenshot(
                        path=Path(pictures) / f"{name}-{scheme}-{path.replace('/', '-')}.png",
                        full_page=True,
                    )
            context.close()
        browser.close()
    server.shutdown()
    return complaints, len(pages)


def animations(page):
    """Return the complaints about the animations of an open page, each of which must have a button."""
    moving = page.evaluate(MOVING)
    if not moving:
        return []
    complaints, buttons = [], page.locator(".animation > button").all()
    if len(moving) != len(buttons):
        complaints.append(f"{len(moving)} animations, but {len(buttons)} buttons")
    for n, button in enumerate(buttons):
        for does, left in (("Pause", len(moving) - 1), ("Play", len(moving))):
            if (label := button.get_attribute("aria-label")) != f"{does} the animation":
                complaints.append(f"the button of animation {n} is called {label}, not {does}")
            button.focus()
            page.keyboard.press("Enter")
            if len(page.evaluate(MOVING)) != left:
                complaints.append(f"the key Enter does not {does.lower()} animation {n}")
    page.emulate_media(reduced_motion="reduce")
    page.reload()
    complaints += [f"moves without being asked to: {each}" for each in page.evaluate(MOVING)]
    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    return complaints


def serve(folder):
    """Serve the files of a folder; return the server and its address."""
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda request, client: None  # a page that was left before it was whole
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/"


def launch(playwright):
    """Start Chromium: the system's, or the one of playwright."""
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    return playwright.chromium.launch(
        executable_path=os.environ.get("CHROMIUM") or next(filter(None, found), None),
        args=[
            *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no network
        ],
    )


def note_foreign(address, foreign, request):
    """Note a request that leaves the folder."""
    if not request.url.startswith((address, "data:", "blob:")):
        foreign.append(request.url)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, *args):
        """Write nothing."""


def main():
    """Check, print the complaints, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*", help="only these, such as api.html")
    parser.add_argument("--pictures", help="save a screenshot of each page in this folder")
    parser.add_argument("--dark", action="store_true", help="in the dark mode")
    options = parser.parse_args()
    scheme = "dark" if options.dark else "light"
    complaints, n = check(options.folder.resolve(), options.pages, options.pictures, scheme)
    print(*complaints, sep="\n")
    print(
        f"{n} pages at {' and '.join(map(str, WIDTHS.values()))} px: {len(complaints)} complaints"
    )
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
