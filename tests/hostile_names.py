"""Names and addresses as somebody wrote them who means harm; each must be shown as the text it is, everywhere.

What would run sets ``window.hacked``, which the browser tests look for.
"""

from geodata.tables import CATEGORIES

RUN = "window.hacked=1"
CORPUS = (
    # script elements and what closes others before them
    f"<script>{RUN}</script>", f"</script><script>{RUN}</script>", f"<SCRIPT SRC=//evil.invalid/x.js></SCRIPT>{RUN}",
    f"</style><script>{RUN}</script>", f"</title><script>{RUN}</script>", f"</textarea><script>{RUN}</script>",
    f"--><script>{RUN}</script>", f"<!--<script>{RUN}//", f"]]><script>{RUN}</script>", "</table></main></body></html>",
    # event handlers and attributes
    f'<img src=x onerror="{RUN}">', f'"><img src=x onerror={RUN}>', f"'><img src=x onerror={RUN}>",
    f'" onmouseover="{RUN}" x="', f"' onfocus='{RUN}' autofocus='", f"` onclick=`{RUN}`",
    f"<body onload={RUN}>", f"<details open ontoggle={RUN}>", f'<a href="javascript:{RUN}">klick</a>',
    f"<input autofocus onfocus={RUN}>", f"<video><source onerror={RUN}></video>",
    # SVG and MathML
    f"<svg/onload={RUN}>", f"<svg><script>{RUN}</script></svg>", f"</text></svg><svg onload={RUN}>",
    f"</desc></title><svg onload={RUN}>", f"<math><mi xlink:href='javascript:{RUN}'>x</mi></math>",
    # templates and formulas of other languages
    "{{ 7*7 }}", "{% raw %}{{ config }}", "{# weg #}", "${7*7} #{7*7}", "%(name)s %s {name} {0}",
    "$\\frac{1}{2}$ \\alpha",
    # addresses
    f"javascript:{RUN}", f"JaVaScRiPt:{RUN}", f"data:text/html,<script>{RUN}</script>", "//evil.invalid/%2e%2e/",
    # cells
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "=HYPERLINK(\"http://evil.invalid\",\"x\")", "\t=1+1", "=cmd|' /C calc'!A0",
    # databases
    "' OR 1=1 --", "'; DROP TABLE place; --", "%_\\%",
    # signs
    "\u202etxt.exe\u202c", "\u2066innen\u2069 außen", "ab\u200b\u200dcd\ufeff", "e\u0301 \U0001f469\u200d\U0001f467",
    "&lt;b&gt; &amp;amp; &#60;", "\u2028\u2029Zeile", "Größe ẞ ﬁ № ½", "x" * 10_000, "<" * 300,
)  # fmt: skip


def category(number: int) -> str:
    """A category for each name, so that all occur."""
    return CATEGORIES[number % len(CATEGORIES)]
