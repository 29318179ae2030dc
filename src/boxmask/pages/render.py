"""Render a page of one file that loads nothing.

Names of classes and files may be hostile. Every value is escaped, and the content security policy of the page
allows its own style and script alone, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from boxmask.messages import printable

_SHARED = "boxmask.pages"
ENLARGE = "pages/enlarge.js"
"""The script that enlarges each `svg.view`. The page needs the `dialog` of pages/pictures.html."""


def render_template(
    package: str, template: str, styles: Sequence[str], scripts: Sequence[str], values: Mapping[str, object]
) -> str:
    """The page as text.

    package:  with a folder "template"; the templates of `boxmask.pages` have the prefix "pages/"
    template: the page, which puts `policy`, `style` and `script` into its head and end
    styles:   files that follow the style that all pages share
    scripts:  files, such as `ENLARGE`
    values:   of the template, besides `policy`, `style`, `script` and `version`
    """
    environment = template_environment(package)
    style = shared_style() + "".join(_source(environment, name) for name in styles)
    script = "".join(_source(environment, name) for name in scripts)
    return environment.get_template(template).render(
        policy=content_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        version=version("boxmask"),
        **values,
    )


@cache
def template_environment(package: str) -> Environment:
    """The templates of a package, and those that all pages share. Every value is escaped."""
    shared = PrefixLoader({"pages": PackageLoader(_SHARED, "template")})
    loader = ChoiceLoader([PackageLoader(package, "template"), shared])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_printable)


def _printable(value: object) -> object:
    """Text without control characters and halves of characters, which a page cannot hold."""
    return value if isinstance(value, Markup) else printable(str(value))


def shared_style() -> str:
    """The colors and what all pages share.

    Colors follow the system, unless the root element has the attribute data-theme="light" or "dark".
    """
    environment = template_environment(_SHARED)
    light, dark, paper = (
        _source(environment, f"pages/colors-{name}.css") for name in ("light", "dark", "print")
    )
    return (
        f":root {{\n{light}}}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{\n{dark}}} }}\n'
        f':root[data-theme="dark"] {{\n{dark}}}\n'
        f"@media print {{ :root:root {{\n{paper}}} }}\n"
        f"{_source(environment, 'pages/base.css')}"
    )


def content_policy(style: str, script: str) -> str:
    """A content security policy that allows this style and this script alone, and loads nothing."""
    return (
        "default-src 'none'; img-src data:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
