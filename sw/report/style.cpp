#include "report/style.hpp"

namespace bitloom {

const char* const kReportStyle = R"(
:root { color-scheme: light dark; --ground: #ffffff; --raised: #f4f6f8; --ink: #1b1f24; --soft: #59636e; --line: #d5dbe1; --accent: #1f6cb0; --good: #1a7f4b; --bad: #b3352f; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171b; --raised: #1d2127; --ink: #e6e9ed; --soft: #9aa4af; --line: #343b44; --accent: #6fb1ea; --good: #4cc38a; --bad: #f0837c; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 4rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, "Segoe UI", Roboto, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.08rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0 .75rem; max-width: 48rem; }
.soft { color: var(--soft); }
a { color: var(--accent); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; margin: .75rem 0; list-style: none; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .6rem; margin: 1rem 0; padding: 0; }
.card { background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .75rem; margin: 0; }
.card dt { color: var(--soft); font-size: .8rem; }
.card dd { margin: 0; font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.3; }
.card small { display: block; color: var(--soft); font-size: .78rem; font-weight: 400; line-height: 1.3; }
.good { color: var(--good); } .bad { color: var(--bad); }
.scroll { overflow-x: auto; margin: 0 0 1.25rem; max-width: 100%; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
.caption { color: var(--soft); font-size: .86rem; margin: 1rem 0 .2rem; }
th, td { padding: .28rem .65rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; vertical-align: baseline; font-weight: 400; }
thead th { color: var(--soft); border-bottom: 2px solid var(--line); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; }
.n { text-align: right; }
.total > * { font-weight: 600; border-top: 2px solid var(--line); }
figure { margin: 1rem 0 .25rem; }
figcaption { color: var(--soft); font-size: .86rem; max-width: 48rem; }
figure .scroll { margin-bottom: .25rem; }
figure svg { display: block; width: 100%; min-width: 20rem; max-width: 35rem; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; margin: .25rem 0; padding: 0; font-size: .86rem; }
.legend span { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .4rem; vertical-align: -.05rem; }
.confusion td, .confusion th { text-align: right; padding: .25rem .5rem; border: 1px solid var(--line); }
.definitions { display: grid; grid-template-columns: minmax(9rem, 13rem) 1fr; gap: .5rem 1rem; font-size: .9rem; }
.definitions dt { font-weight: 600; }
.definitions dt small { display: block; font-weight: 400; color: var(--soft); }
.definitions dd { margin: 0; }
@media (max-width: 40rem) { .definitions { grid-template-columns: 1fr; gap: 0; } .definitions dd { margin-bottom: .75rem; } body { padding-top: 1rem; } }
@media print {
  :root { color-scheme: light; --ground: #fff; --raised: #fff; --ink: #000; --soft: #444; --line: #bbb; --accent: #000; --good: #000; --bad: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .scroll { overflow: visible; }
  table { font-size: 7.5pt; }
  th, td { padding: .15rem .3rem; white-space: normal; }
  figure svg { min-width: 0; max-width: 15cm; }
  figure, tr, .card { break-inside: avoid; }
  h2, h3, .caption { break-after: avoid; }
  nav { display: none; }
}
)";

}  // namespace bitloom
