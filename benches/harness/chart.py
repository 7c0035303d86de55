"""A bar chart of wall seconds as SVG, by hand: it needs nothing installed."""

from html import escape

from .model import OURS, shown
from .report import title

WIDTH, LABELS, RIGHT = 860, 118, 216
BAR, GAP, GROUP_GAP, TOP = 15, 3, 30, 62
# The panel brings its own ground, so that its text can be read whatever the page's colour; a dark page gets a dark one.
STYLE = """
  .ground { fill: #ffffff; stroke: #d0d7de } text { fill: #1f2328; font: 12px system-ui, sans-serif }
  .head { font-size: 15px; font-weight: 600 } .group { font-weight: 600 } .quiet { fill: #59636e }
  .etl-engine { fill: #d9480f } .duckdb { fill: #b08d00 } .polars { fill: #1971c2 }
  .spark { fill: #868e96 } .cut { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; stroke: #3d444d } text { fill: #f0f6fc } .quiet { fill: #9198a1 } .cut { fill: #0d1117 }
    .etl-engine { fill: #ff7b3d } .duckdb { fill: #e3b341 } .polars { fill: #58a6ff } .spark { fill: #9198a1 }
  }"""


def scale_end(results):
    """The longest bar that is drawn whole: Spark's would leave the others no room."""
    others = [r.median(name, "wall") for r in results for name in (OURS, *r.peers) if name != "spark"]
    return max(others, default=1.0)


def svg(results, lines):
    """Workloads that have peers; `lines` say how it was measured."""
    results = [result for result in results if result.peers]
    end, room = scale_end(results), WIDTH - LABELS - RIGHT
    parts, y = [], TOP
    for result in results:
        workload = result.workload
        parts.append(f'<text class="group" x="16" y="{y + 9}">{escape(workload.id)}</text>')
        parts.append(f'<text class="quiet" x="{LABELS}" y="{y + 9}">{escape(workload.title)}</text>')
        y += 16
        for name in (OURS, *result.peers):
            wall, cpu = result.median(name, "wall"), result.median(name, "cpu")
            length = max(1.0, min(wall / end, 1.0) * room)
            label = f"{shown('wall', wall)}"
            if name != OURS:
                label += f" ({wall / result.median(OURS, 'wall'):.1f}×)"
            label += f' <tspan class="quiet">· CPU {shown("cpu", cpu)}</tspan>'
            parts.append(f'<text x="{LABELS - 8}" y="{y + 12}" text-anchor="end">{escape(title(name))}</text>')
            parts.append(f'<rect class="{name}" x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>')
            if wall > end:
                # Cut: the bar would be longer than there is room.
                x = LABELS + room - 26
                parts.append(f'<path class="cut" d="M{x} {y + BAR} l8 -{BAR} h5 l-8 {BAR} z"/>')
            parts.append(f'<text x="{LABELS + length + 6:.1f}" y="{y + 12}">{label}</text>')
            y += BAR + GAP
        y += GROUP_GAP - 16
    foot = [line.replace("`", "") for line in lines[:2]]
    for line in foot:
        parts.append(f'<text class="quiet" x="16" y="{y + 8}">{escape(line)}</text>')
        y += 17
    height = y + 6
    head = "Wall seconds, shorter is better; in brackets: times etl-engine's"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">\n'
        f"<title>{escape(head)}</title>\n<style>{STYLE}\n</style>\n"
        f'<rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>\n'
        f'<text class="head" x="16" y="30">{escape(head)}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )
