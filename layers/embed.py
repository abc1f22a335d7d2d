"""How our own parts enter a Folium map: each calls one function of our scripts and passes plain data as JSON."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import folium
from folium.elements import JSCSSMixin
from folium.template import Template
from jinja2.utils import htmlsafe_json_dumps

Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None

_NAME = re.compile(r"[a-z][a-z0-9]*\Z")
_TEMPLATE_SIGN = re.compile(r"\{(?=[{%#])")


def script_json(data: Json) -> str:
    """Return data as JSON for a script of a Folium map: no text in it can close a script or a string, or be run.

    <, >, &, ' and everything beyond ASCII (U+2028 too) are escaped. What a part renders is compiled by branca as a
    template once more, so a name with {{ … }} in it would be executed on the server: such braces are escaped too.
    Outside of strings JSON has no two of these signs in a row.
    """
    return _TEMPLATE_SIGN.sub(r"\\u007b", str(htmlsafe_json_dumps(data)))


class ScriptCall(JSCSSMixin):
    """One call `srkMap.<function>(<map id>, <data>)`; data is JSON that can close neither a script nor a string."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "srkMap.{{ this.function }}({{ this.map_name|tojson }}, {{ this.json }});"
        "{% endmacro %}"
    )

    def __init__(
        self,
        target: folium.Map,
        function: str,
        data: Json,
        *,
        scripts: Sequence[tuple[str, str]] = (),
        styles: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Prepare the call for a map; scripts and styles are (name, URL) pairs the function needs."""
        super().__init__()  # type: ignore[no-untyped-call]  # branca leaves it unannotated
        if not _NAME.match(function):
            raise ValueError(f"not a function of our scripts: {function!r}")
        self._name = "ScriptCall"
        # Folium gives every part a random id; ours follow from the map's, so that two renderings are the same bytes.
        self._id = f"{target.get_name()}_{function}"
        self.function = function
        self.map_name = target.get_name()
        self.json = script_json(data)
        self.default_js = list(scripts)
        self.default_css = list(styles)


def call(
    target: folium.Map,
    function: str,
    data: Json,
    *,
    scripts: Sequence[tuple[str, str]] = (),
    styles: Sequence[tuple[str, str]] = (),
) -> None:
    """Add one call of our scripts to a map."""
    target.add_child(ScriptCall(target, function, data, scripts=scripts, styles=styles))
