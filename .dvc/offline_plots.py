"""Write a page template with which `dvc plots show` works without internet access.

DVC's own template loads Vega from a CDN. Usage: python .dvc/offline_plots.py template.html
"""

import sys
from pathlib import Path

import vl_convert
from dvc_render.html import PAGE_HTML


def main(template: Path) -> None:
    """Put Vega, Vega-Lite and Vega-Embed into DVC's template, and write it."""
    bundle = vl_convert.javascript_bundle().replace("</script", "<\\/script")
    template.parent.mkdir(parents=True, exist_ok=True)
    template.write_text(PAGE_HTML.replace("{scripts}", f"<script>{bundle}</script>"), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
