"""How Sphinx builds the documentation."""

import base64
import hashlib
import io
import re
import sys
import urllib.request
from pathlib import Path

from cycler import cycler
from docutils import nodes
from PIL import Image
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx_gallery.directives import imgsgnode

import sknumpynet

sys.path.insert(0, str(Path(__file__).parent))  # for gallery_order and source_links

from source_links import linkcode_resolve  # noqa: F401  (Sphinx asks for it)

logger = logging.getLogger(__name__)

project = "sknumpynet"
copyright = "2026, the sknumpynet developers"
author = "the sknumpynet developers"
version = release = sknumpynet.__version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.linkcode",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "sg_execution_times.rst"]
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence", "dollarmath", "substitution"]
myst_heading_anchors = 3

default_role = "code"  # `fit` is code, in docstrings as in Markdown
autosummary_generate = True
autodoc_preserve_defaults = True  # np.float64 and 1e-8, as in the code
autodoc_typehints = "none"  # the docstrings say it in words
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
toc_object_entries_show_parents = "hide"  # "fit", and not "NumpyMLPClassifier.fit", at the right

# The figures of docs/from_scratch are drawn when the documentation is built.
plot_formats = ["svg"]
plot_html_show_formats = plot_html_show_source_link = False
plot_apply_rcparams = True
plot_rcparams = {
    "axes.prop_cycle": cycler(  # Okabe and Ito's colours, which the colour-blind can tell apart
        color=["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
    ),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 12,  # readable on a phone, where a figure is half as wide
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "ignore_pattern": r"benchmarks|web_service",
    "nested_sections": False,
    "abort_on_example_error": True,
    "show_memory": False,
    "write_computation_times": False,
    "remove_config_comments": True,
    "min_reported_time": 3600,  # how long an example took interests nobody
    "show_signature": False,
    "image_srcset": ["2x"],  # sharp on a phone
    "reset_modules": ("matplotlib", "seaborn", "gallery_order.enlarge_words"),
    "backreferences_dir": "generated/backreferences",
    "within_subsection_order": "gallery_order.place",
    "minigallery_sort_order": "gallery_order.place",
}


def take_headers_in_rst_only(app, config):
    """A README.md does not make the folder that it is in, examples/benchmarks say, a part of the gallery."""
    config.sphinx_gallery_conf["source_suffix"] = {".rst": "restructuredtext"}


def read_texts():
    """Return the alternative texts of the gallery's pictures, by file name."""
    lines = (Path(__file__).parent / "gallery_texts.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    return {f"sphx_glr_plot_{name.replace(' ', '_')}.png": text for name, text in pairs}


def describe_pictures(app, doctree):
    """Give each picture of the gallery an alternative text that says what one sees."""
    texts = read_texts()
    for image in doctree.findall(imgsgnode):
        name = Path(image["uri"]).name
        if name in texts:
            image["alt"] = texts[name]
        else:
            logger.warning("docs/gallery_texts.txt has no text for %s", name)


def describe_thumbnails(app, doctree):
    """Give the pictures of the gallery, which have no alternative text, the titles of their examples."""
    for image in doctree.findall(nodes.image):
        named = re.search(r"sphx_glr_(plot_\w+)_thumb", image.get("uri", ""))
        if named and not image.get("alt", "").strip():
            source = Path(__file__).parents[1] / "examples" / f"{named[1]}.py"
            title = source.read_text(encoding="utf-8").splitlines()[1].replace("``", "")
            image["alt"] = f"Picture of the example {title}"


def name_cells(app, doctree):
    """Name the columns in the cells of a table of sentences, whose rows a phone shows below each other."""
    for table in doctree.findall(nodes.table):
        if "sentences" not in table["classes"]:
            continue
        heads, *rows = table.findall(nodes.row)
        for row in rows:
            for head, entry in list(zip(heads, row))[1:]:
                for paragraph in entry:
                    if paragraph.astext():
                        name = nodes.inline("", f"{head.astext()}: ", classes=["column-name"])
                        paragraph.insert(0, name)


def still_animations(app, pagename, templatename, context, doctree):
    """Put beside each animation its last picture, for animations.js and for readers who want no motion.

    The pictures of examples that lead to their pages do not move at all.
    """
    folder = Path(app.outdir) / "_images"
    folder.mkdir(exist_ok=True)
    files = {name: Path(app.srcdir) / path for path, name in app.builder.images.items()}

    def still(match):
        tag, source = match.groups()
        if source.startswith("data:"):
            data = base64.b64decode(source.split(",")[1])
        else:
            data = files[Path(source).name].read_bytes()  # not copied yet
        name = f"still_{hashlib.sha256(data).hexdigest()[:16]}.png"
        with Image.open(io.BytesIO(data)) as gif:
            durations = []
            for i in range(gif.n_frames):
                gif.seek(i)
                durations.append(gif.info["duration"])
            gif.save(folder / name)
            once = "" if "loop" in gif.info else f' data-seconds="{sum(durations) / 1000}"'
        address = context["pathto"](f"_images/{name}", resource=True)
        if "_thumb.gif" in source:
            return tag.replace(source, address)
        return (
            f'<picture class="animation" data-still="{address}"{once}>'
            f'<source media="(prefers-reduced-motion: reduce)" srcset="{address}">{tag}</picture>'
        )

    gifs = r'(<img [^>]*?src="([^"]+\.gif|data:image/gif;[^"]+)"[^>]*>)'
    context["body"] = re.sub(gifs, still, context.get("body", ""))


def break_code(app, pagename, templatename, context, doctree):
    """Let long names and calls break after a sign, where a line ends, and not inside a word."""
    context["body"] = re.sub(
        r'(?<=<span class="pre">)[^<\s]{24,}(?=</span>)',
        lambda code: re.sub(r"(?<=[\w\])}][.(\[=/,])(?=[\w\[{&])", "<wbr>", code[0]),
        context.get("body", ""),
    )


def join_numbers(app, doctree):
    """Keep "5 %" and "1 ± 2" on one line."""
    as_they_are = (nodes.FixedTextElement, nodes.literal, nodes.math, nodes.math_block)
    for text in list(doctree.findall(nodes.Text)):
        joined = re.sub(r"(?<=\d) (?=%)| (?=±)|(?<=±) ", "\N{NO-BREAK SPACE}", text)
        if joined != text and not isinstance(text.parent, as_they_are):
            text.parent.replace(text, nodes.Text(joined))


def show_default(app, what, name, obj, options, signature, annotation):
    """Show the dict that a field of a dataclass begins with."""
    if "<factory>" in (signature or ""):
        return signature.replace("<factory>", "{}"), annotation


class KeepQuotesOfTypes(SphinxTransform):
    """The type of a parameter keeps its straight quotes: default='relu' is code."""

    default_priority = 749  # just before quotes are made typographic

    def apply(self):
        for node in self.document.findall(nodes.classifier):
            node["support_smartquotes"] = False


def setup(app):
    app.add_transform(KeepQuotesOfTypes)
    app.connect("config-inited", take_headers_in_rst_only, priority=20)  # sphinx-gallery's is 10
    app.connect("doctree-read", describe_pictures)
    app.connect("doctree-read", describe_thumbnails)
    app.connect("doctree-read", name_cells)
    app.connect("doctree-read", join_numbers)
    app.connect("autodoc-process-signature", show_default)
    app.connect("html-page-context", still_animations)
    app.connect("html-page-context", break_code)


def reachable(inventories):
    """Those of the other projects' inventories that can be had now: none without a network."""
    found = {}
    for name, url in inventories.items():
        try:
            urllib.request.urlopen(f"{url}objects.inv", timeout=5).close()
        except OSError:
            print(f"no links to {name}: {url} does not answer")
        else:
            found[name] = (url, None)
    return found


intersphinx_mapping = reachable(
    {
        "numpy": "https://numpy.org/doc/stable/",
        "scipy": "https://docs.scipy.org/doc/scipy/",
        "sklearn": "https://scikit-learn.org/stable/",
    }
)
intersphinx_timeout = 10

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_js_files = ["animations.js"]
html_search_scorer = str(Path(__file__).with_name("search_scorer.js"))
html_title = "sknumpynet"
html_favicon = "_static/logo.svg"
mathjax_path = "mathjax/tex-svg.js"  # from our own files: formulas show without a network
html_theme_options = {
    "github_url": "https://github.com/sknumpynet/sknumpynet",
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "text": "sknumpynet",
    },
    "use_edit_page_button": False,
}
# Pages with none below them need no column of links at the left.
PLAIN = sorted({path.stem for path in Path(__file__).parent.glob("*.md")})
PLAIN = [page for page in PLAIN if page not in ("api", "gallery", "user_guide")]
html_sidebars = {page: [] for page in PLAIN}
