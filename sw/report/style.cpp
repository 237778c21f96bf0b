#include "report/style.hpp"

namespace bitloom {

// Six series after Okabe and Ito's palette, which those with colour blindness can tell apart ("Color Universal Design", 2008), each moved
// in lightness until it has 3:1 on its ground.
const char* const kReportStyle = R"(
:root { color-scheme: light dark; --ground: #ffffff; --raised: #f5f6f8; --ink: #1b1f24; --soft: #545d68; --line: #dce1e6; --axis: #7b8590; --accent: #155f9f; --good: #136c3e; --bad: #ad2d27;
  --s0: #0072b2; --s1: #cf5a00; --s2: #a8578a; --s3: #00875f; --s4: #7a8490; --s5: #96790a; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171b; --raised: #1c2026; --ink: #e6e9ed; --soft: #a3adb8; --line: #2d343c; --axis: #6f7a86; --accent: #7bb9ee; --good: #57c993; --bad: #f28b82;
    --s0: #56b4e9; --s1: #f08a3c; --s2: #d990bd; --s3: #2fbf93; --s4: #8d97a3; --s5: #e0c34a; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0 auto; max-width: 78rem; padding: 2.5rem 1.25rem 5rem; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 4rem 0 .75rem; padding-top: 1rem; border-top: 2px solid var(--ink); letter-spacing: -.005em; }
h3 { font-size: 1.1rem; line-height: 1.3; margin: 2.75rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--line); }
p { margin: .25rem 0 .9rem; max-width: 46rem; }
.soft { color: var(--soft); }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
nav li { min-width: 0; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.25rem; padding: 0; margin: 1rem 0 0; list-style: none; font-size: .92rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.8rem, 1fr)); gap: 1.1rem 1.25rem; margin: 1.25rem 0 1.5rem; padding: 0; }
.figures > div { border-top: 1px solid var(--axis); padding-top: .4rem; }
.figures dt { color: var(--soft); font-size: .82rem; line-height: 1.3; }
.figures dd { margin: .1rem 0 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.25; }
.figures small { display: block; color: var(--soft); font-size: .8rem; font-weight: 400; line-height: 1.35; margin-top: .15rem; }
.figures .good, .good { color: var(--good); } .figures .bad, .bad { color: var(--bad); }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
.caption { color: var(--soft); font-size: .88rem; margin: 1.25rem 0 .25rem; }
th, td { padding: .3rem .55rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; vertical-align: baseline; font-weight: 400; }
th:first-child { padding-left: 0; position: sticky; left: 0; background: var(--ground); }
thead th { color: var(--soft); border-bottom-color: var(--axis); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; }
tbody tr:hover > * { background: var(--raised); }
.n { text-align: right; }
.total > * { font-weight: 600; border-top: 1px solid var(--axis); }
details { margin: .35rem 0 0; }
summary { cursor: pointer; color: var(--accent); font-size: .86rem; width: fit-content; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 2rem 3rem; margin: 1.5rem 0 2rem; align-items: start; }
.plots > * { min-width: 0; max-width: 34rem; margin: 0; }
figure { margin: 1.5rem 0 2rem; max-width: 34rem; }
figcaption { font-size: .88rem; line-height: 1.45; color: var(--soft); margin-bottom: .6rem; }
figcaption b { color: var(--ink); font-weight: 600; }
.plot { display: block; width: 100%; height: auto; overflow: visible; }
.plot text { font-size: 12px; fill: var(--ink); font-variant-numeric: tabular-nums; }
.plot .soft { fill: var(--soft); }
.plot .label { paint-order: stroke; stroke: var(--ground); stroke-width: 3px; stroke-linejoin: round; }
.plot .mid { text-anchor: middle; } .plot .end { text-anchor: end; }
.plot .grid { stroke: var(--line); } .plot .axis { stroke: var(--axis); }
.plot .line { fill: none; stroke: var(--soft); stroke-width: 1.4; } .plot .dashed { stroke-dasharray: 4 3; }
.plot .cell { fill: var(--raised); }
.s0 { --c: var(--s0); } .s1 { --c: var(--s1); } .s2 { --c: var(--s2); } .s3 { --c: var(--s3); } .s4 { --c: var(--s4); } .s5 { --c: var(--s5); }
.plot .solid { fill: var(--c); } .plot .open { fill: var(--ground); stroke: var(--c); stroke-width: 1.6; } .plot .range { stroke: var(--c); stroke-width: 1.4; }
.plot .shade { fill: var(--c); } .d1 { fill-opacity: .12; } .d2 { fill-opacity: .22; } .d3 { fill-opacity: .32; } .d4 { fill-opacity: .42; }
.legend { display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; list-style: none; margin: 0 0 .6rem; padding: 0; font-size: .85rem; }
.key { display: inline-block; width: .9rem; height: .9rem; margin-right: .4rem; vertical-align: -.1rem; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.2rem, 1fr)); gap: 1rem; list-style: none; margin: .5rem 0 0; padding: 0; font-size: .82rem; line-height: 1.35; }
.gallery img { display: block; width: 5rem; height: 5rem; object-fit: contain; image-rendering: pixelated; background: #000; margin-bottom: .3rem; }
.definitions { display: grid; grid-template-columns: minmax(9rem, 13rem) 1fr; gap: .6rem 1.5rem; font-size: .9rem; }
.definitions dt { font-weight: 600; }
.definitions dt small { display: block; font-weight: 400; color: var(--soft); }
.definitions dd { margin: 0; max-width: 46rem; }
@media (max-width: 40rem) {
  body { padding: 1.5rem 1rem 3rem; }
  h2 { margin-top: 3rem; }
  .definitions { grid-template-columns: 1fr; gap: 0; } .definitions dd { margin-bottom: .9rem; }
}
@media print {
  @page { margin: 16mm 14mm; }
  :root { color-scheme: light; --ground: #fff; --raised: #f2f2f2; --ink: #000; --soft: #444; --line: #ccc; --axis: #777; --accent: #000; --good: #000; --bad: #000;
    --s0: #0072b2; --s1: #cf5a00; --s2: #a8578a; --s3: #00875f; --s4: #7a8490; --s5: #96790a; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav, summary { display: none; }
  /* Data tables are printed even where they are folded away on the screen; only very long ones stay out. */
  details:not(.long)::details-content { content-visibility: visible; block-size: auto; }
  .scroll { overflow: visible; }
  table { font-size: 7pt; } th, td { padding: .12rem .2rem; white-space: normal; } th:first-child { position: static; }
  tbody th, td:not(.n) { overflow-wrap: anywhere; min-width: 4em; }
  .plots { grid-template-columns: 1fr 1fr; gap: 8mm; } .plots > *, figure { max-width: none; }
  figure { max-width: 12cm; }
  figcaption, .caption, .legend { font-size: 8pt; }
  .figures { grid-template-columns: repeat(5, 1fr); gap: 3mm 5mm; } .figures dd { font-size: 12pt; }
  .plot, tr, .figures > div, .gallery li, .definitions > * { break-inside: avoid; }
  h2, h3, .caption, figcaption, thead { break-after: avoid; }
  h2 { margin-top: 10mm; }
  a { text-decoration: none; }
}
)";

}  // namespace bitloom
