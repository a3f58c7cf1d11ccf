"""What the page contains instead of linking to it: scripts, style, static plots, JSON."""

import functools
import json
import re
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup, escape

from imrep.embedding import cache
from imrep.report import frame

_ENTRY = "window.vegaEmbed = vegaEmbed;"


def emphasised(text: str) -> Markup:
    """A sentence of the protocol, its **bold** as <strong>; everything else escaped."""
    return Markup(
        re.sub(r"\*\*(.+?)\*\*", lambda m: f"<strong>{_broken(m[1])}</strong>", str(escape(text)))
    )


def breakable(name: str) -> Markup:
    """A long name that may be broken after punctuation, and before a suffix."""
    return Markup(_broken(str(escape(name))))


def _broken(html: str) -> str:
    return re.sub(r"([,:=+/_])|(?=\.[a-z])", r"\1<wbr>", html)


def as_json(data: dict[str, Any]) -> Markup:
    """JSON that cannot end the script element that contains it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def svg(chart: frame.Chart) -> Markup:
    """The narrow form as SVG, for readers without scripts; it scales to any width."""
    spec = {**chart.narrow, "width": frame.NARROW, "autosize": {"type": "pad"}}
    rendered = vl_convert.vegalite_to_svg(spec, vl_version=frame.VEGA_LITE)
    title, text = f"static-{chart.id}-title", f"static-{chart.id}-text"
    root = f'<svg role="img" aria-labelledby="{title}" aria-describedby="{text}"'
    texts = f'<title id="{title}">{escape(chart.title)}</title>'
    texts += f'<desc id="{text}">{escape(chart.alt)}</desc>'
    return Markup(re.sub("<svg([^>]*)>", lambda m: f"{root}{m[1]}>{texts}", rendered, count=1))


@functools.cache
def vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that may stand inside an element.

    Bundling takes a second, longer than the rest of the page, so the bundle is cached on disk.
    """
    key = cache.key(version("vl-convert-python"), frame.VEGA_LITE, _ENTRY)
    path = cache.folder("vega", key) / "bundle.json"
    bundle: str | None = cache.read_json(path)
    if bundle is None:
        bundle = vl_convert.javascript_bundle(_ENTRY, vl_version=frame.VEGA_LITE)
        cache.write_json(path, bundle)
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


@functools.cache
def text_of(filename: str) -> str:
    """The text of a file beside this one."""
    return files("imrep.report").joinpath(filename).read_text(encoding="utf-8")


def texts_of(*filenames: str) -> str:
    """The texts of files beside this one, one after the other."""
    return "\n".join(map(text_of, filenames))


@functools.cache
def template(filename: str = "page.html.jinja") -> jinja2.Template:
    """The template of a page."""
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(text_of),
    )
    return environment.get_template(filename)
