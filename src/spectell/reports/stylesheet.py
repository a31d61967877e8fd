"""The one stylesheet of every page, written from the colours that the figures use.

Dark applies to screens only: paper stays white whatever the reader's screen prefers.
"""

from spectell.figures.style import DARK, LIGHT, Theme

__all__ = ["stylesheet"]

_RULES = """\
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue","Noto Sans",Arial,sans-serif;overflow-wrap:break-word;font-variant-numeric:lining-nums}
header,main,footer,.contents{max-width:70rem;margin:0 auto;padding:0 clamp(1rem,4vw,2.5rem)}
header{padding-top:clamp(1.5rem,5vw,3.5rem)}
h1,h2,h3{line-height:1.2;text-wrap:balance;font-weight:650;letter-spacing:-.011em}
h1{font-size:clamp(1.6rem,1.1rem + 2.4vw,2.5rem);margin:0 0 .5rem;letter-spacing:-.02em}
h2{font-size:1.45rem;margin:0 0 .75rem}
h3{font-size:1.1rem;margin:1.75rem 0 .5rem}
p,ul,ol,dl,.callout{max-width:44rem}
p{margin:0 0 1rem;text-wrap:pretty}
.eyebrow{margin:0 0 .35rem;color:var(--muted);font-size:.875rem;font-weight:600;letter-spacing:.04em}
.lead{font-size:1.15rem;line-height:1.5;color:var(--muted)}
section{margin:0;padding:2rem 0 1rem;border-top:1px solid var(--line)}
.contents+main>section:first-child,main>section:first-child{margin-top:1.5rem}
a{color:var(--accent);text-underline-offset:.15em}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:2px}
.skip{position:absolute;left:-100vw;top:0;padding:.6rem 1rem;background:var(--paper)}
.skip:focus{left:0;z-index:1}
.contents ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0;padding:0;list-style:none;max-width:none}
.contents a{display:inline-block;padding:.3rem 0}
code,kbd,.path{font:.9em/1.5 ui-monospace,"Cascadia Mono","DejaVu Sans Mono",Menlo,Consolas,monospace}
code,.path{overflow-wrap:anywhere}
pre{max-width:100%;overflow-x:auto;padding:.75rem 1rem;background:var(--panel);border-radius:6px}
.facts{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.3rem 1.5rem;margin:0 0 1.25rem}
.facts dt{color:var(--muted)}
.facts dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:0 0 1.25rem;container-type:inline-size}
table{border-collapse:collapse;font-size:.925rem;line-height:1.4}
caption{text-align:left;padding:0 0 .5rem;color:var(--muted);font-size:.925rem}
caption>span{display:block;position:sticky;left:0;max-width:min(44rem,100cqw)}
th,td{padding:.4rem .7rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
td:last-child:not(.number){min-width:10rem}
thead th{background:var(--panel);font-weight:600;vertical-align:bottom}
tbody th{font-weight:600;overflow-wrap:anywhere;min-width:10rem}
tbody th small{display:block;font-weight:400;white-space:nowrap}
.number{text-align:right;font-variant-numeric:tabular-nums lining-nums}
td.number{white-space:nowrap}
figure{margin:0 0 1.75rem}
figure img{display:block;max-width:100%;height:auto;border-radius:4px}
figure .scroll{margin:0}
figure .scroll img{max-width:none;min-width:36rem;width:100%}
figcaption{max-width:44rem;margin-top:.6rem;color:var(--muted);font-size:.925rem;line-height:1.5}
.gallery{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:1rem 1.5rem}
.callout{margin:0 0 1.25rem;padding:.8rem 1.1rem;background:var(--panel);border-left:5px solid var(--kind,var(--muted));
border-radius:0 6px 6px 0}
.callout>:last-child{margin-bottom:0}
.callout-title{margin:0 0 .25rem;font-weight:650;color:var(--kind,var(--ink))}
.good{--kind:var(--good-ink)}.caution{--kind:var(--caution-ink)}.bad{--kind:var(--bad-ink)}
summary{cursor:pointer;padding:.3rem 0;font-weight:600}
footer{padding-top:1.25rem;padding-bottom:2.5rem;color:var(--muted);font-size:.875rem}
@media (max-width:32rem){.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:.6rem}
table{font-size:.85rem}th,td{padding:.35rem .3rem}td.number{white-space:normal}
td:last-child:not(.number){min-width:8rem}tbody th{min-width:4.5rem}tbody th:has(wbr){min-width:9.5rem}}
@media print{@page{margin:16mm}body{font-size:10pt}.contents,.skip{display:none}
header,main,footer{max-width:none;padding-left:0;padding-right:0}
.scroll{overflow:visible;container-type:normal}caption>span{position:static;max-width:44rem}
details::details-content{content-visibility:visible;block-size:auto}
figure .scroll img{min-width:0!important;max-width:100%}
figure,tr,.callout{break-inside:avoid}h1,h2,h3{break-after:avoid}
table{font-size:8pt}th,td{padding:.2rem .4rem}td.number{white-space:normal}
td:last-child:not(.number){min-width:7rem}tbody th{min-width:5.5rem}
caption,figcaption{font-size:9pt}a{color:inherit}}
"""


def stylesheet() -> str:
    """Return the CSS of a page: light, and dark on screens that prefer it.

    Examples
    --------
    >>> "@import" in stylesheet() or "url(" in stylesheet()
    False
    """
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}"
    return f":root{{color-scheme:light dark;{_variables(LIGHT)}}}\n{dark}\n{_RULES}"


def _variables(theme: Theme) -> str:
    colours = {"paper": theme.paper, "panel": theme.panel, "ink": theme.ink, "muted": theme.muted, "line": theme.line}
    colours |= {"accent": theme.accent, "good-ink": theme.good, "caution-ink": theme.caution, "bad-ink": theme.bad}
    return ";".join(f"--{name}:{value}" for name, value in colours.items())
