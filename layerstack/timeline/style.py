"""Light and dark colours of the picture of a build, and the page around it."""

LEGEND = (
    ("run", "executed step"),
    ("run critical", "on the critical path"),
    ("transfer", "context sent"),
    ("pull", "image pulled"),
    ("export", "image exported"),
    ("cached", "cached step"),
)

STYLE = """
.timeline { color-scheme: light dark; --paper: #ffffff; --ink: #1c2430; --faint: #6b7686; --line: #e3e7ec;
  --stripe: #f6f8fa; --run: #a9c9ee; --run-ink: #14304f; --critical: #1f5fae; --critical-ink: #ffffff;
  --path: #d9480f; --transfer: #f2c14e; --pull: #c9a0dc; --export: #7cc4a4; --other-ink: #22281f; --cached: #b4bdc9;
  font: 12px system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; }
.timeline .paper { fill: var(--paper); } .timeline .stripe { fill: var(--stripe); }
.timeline text { fill: var(--ink); dominant-baseline: central; }
.timeline .title { font-size: 16px; font-weight: 600; } .timeline .name { font-weight: 600; }
.timeline .faint { fill: var(--faint); font-size: 11px; } .timeline .grid { stroke: var(--line); }
.timeline .bar text { font-size: 11px; } .timeline .run text.start { fill: var(--run-ink); }
.timeline .run rect { fill: var(--run); } .timeline .run.critical rect { fill: var(--critical); }
.timeline .run.critical text.start { fill: var(--critical-ink); }
.timeline .transfer rect { fill: var(--transfer); } .timeline .pull rect { fill: var(--pull); }
.timeline .export rect { fill: var(--export); } .timeline .cached rect { fill: var(--cached); opacity: 0.7; }
.timeline .transfer text.start, .timeline .pull text.start, .timeline .export text.start { fill: var(--other-ink); }
.timeline .critical rect { stroke: var(--path); stroke-width: 1.5; }
.timeline .path { fill: none; stroke: var(--path); stroke-width: 1.5; stroke-dasharray: 3 2; opacity: 0.8; }
@media (prefers-color-scheme: dark) { .timeline { --paper: #14181f; --ink: #e6eaf0; --faint: #8e99a8; --line: #2a313c;
  --stripe: #191f28; --run: #2f4d70; --run-ink: #dbe8f7; --critical: #4c93e6; --critical-ink: #07131f; --path: #ff8a4c;
  --transfer: #b98c1d; --pull: #8d5fa3; --export: #3f8f6c; --other-ink: #ffffff; --cached: #5b6675; } }
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Build timeline</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 1600px; background: #ffffff; }
svg { display: block; width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { background: #14181f; } }
</style>
</head>
<body>
{picture}
</body>
</html>
"""
