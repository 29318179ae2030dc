"""Pages that load nothing."""

from __future__ import annotations

import base64
import hashlib

from markupsafe import Markup

from boxmask.pages.render import content_policy, shared_style, template_environment


def test_values_are_escaped_and_printable() -> None:
    template = template_environment("boxmask.pages").from_string("{{ name }}{{ mark }}")
    assert template.render(name="<b>\x00&", mark=Markup("<i>")) == "&lt;b&gt;\\x00&amp;<i>"


def test_the_policy_allows_one_style_and_one_script() -> None:
    policy = content_policy("a {}", "let b;")
    for text, directive in (("a {}", "style-src"), ("let b;", "script-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy
    assert "unsafe" not in policy


def test_colors_follow_the_system_and_a_choice() -> None:
    style = shared_style()
    assert style.count("--page: #14181b") == 2
    assert style.count("{") == style.count("}")
    assert "url(" not in style
    assert "@import" not in style
