/** The style sheet of the page: light and dark, from 390 pixels up, and for paper. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1b1f24; --soft: #575e66; --line: #d5d9de; --panel: #f5f6f8; --link: #0b5cad;
  --own: #0067a8; --published: #b34700; --faint: #9aa1a9; --shade: rgb(31 95 168);
  --within: #e1f0e4; --outside: #fbe5d6; --apart: #eceef1;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e4e7ea; --soft: #a7afb8; --line: #3a4149; --panel: #1d2126; --link: #78b7f0;
    --own: #5cb3e8; --published: #f0954f; --faint: #69727c;
    --within: #1d3a27; --outside: #4a2c17; --apart: #2a3037;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
header, main, footer { max-width: 84rem; margin: 0 auto; padding: 0 1.25rem }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1.5rem 0 .5rem }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem }
p, ul, ol { max-width: 48rem; margin: .5rem 0 }
ul { padding-left: 1.2rem }
p, li { overflow-wrap: anywhere }
a { color: var(--link) }
.nb { white-space: nowrap }
.note { color: var(--soft); font-size: .87rem }
nav ul { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; padding: 0; max-width: none; font-size: .9rem }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: .75rem 0; padding: 0; list-style: none; max-width: none }
.facts b { display: block; font-size: 1.05rem }
.facts span { color: var(--soft); font-size: .85rem }

.scroll { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; line-height: 1.35 }
caption { text-align: left; font-weight: 600; padding: .25rem 0 }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .45rem; text-align: left; vertical-align: top; font-weight: 400 }
thead th { vertical-align: bottom; font-weight: 600; border-bottom: 2px solid var(--line) }
tbody th { font-weight: 600 }
td small { display: block; color: var(--soft); font-size: .74rem; line-height: 1.3 }
.verdict { border-radius: .25rem; padding: .02rem .25rem; margin-left: -.25rem; -webkit-box-decoration-break: clone; box-decoration-break: clone }
.within { background: var(--within); border-left: 3px solid #2f8f4e }
.outside { background: var(--outside); border-left: 3px double #c25a1b }
.not-comparable { background: var(--apart) }
td.share { text-align: right; min-width: 2.4rem; background: color-mix(in srgb, var(--shade) var(--depth), var(--paper)) }
table.wider { font-size: .77rem }
table.wider th, table.wider td { padding: .3rem .22rem }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; text-align: inherit; cursor: pointer; text-decoration: underline dotted; text-underline-offset: .2em }
th[aria-sort="ascending"] button::after { content: " \\25B2" }
th[aria-sort="descending"] button::after { content: " \\25BC" }

figure { margin: 0 }
figcaption { font-size: .85rem; font-weight: 600 }
.charts { display: grid; gap: 1rem 1.25rem; margin: .75rem 0 }
.charts.small { grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)) }
.charts.tiny { grid-template-columns: repeat(auto-fill, minmax(min(11rem, 100%), 1fr)); gap: .5rem }
.charts.wide { grid-template-columns: repeat(auto-fill, minmax(min(32rem, 100%), 1fr)) }
.chart { break-inside: avoid; min-width: 0 }
.chart svg { display: block; width: 100%; max-width: 44rem; height: auto }
.small .chart svg { max-width: 22rem }
svg text { fill: currentColor }
img { display: block; max-width: 100%; height: auto; background: #fff }
table.pictures td, table.pictures th { padding: .35rem }
table.pictures img { width: 20rem }
.toy img { width: auto; margin: .5rem 0 }
details { margin: .75rem 0 }
summary { cursor: pointer; font-weight: 600 }
.downloads { display: flex; flex-wrap: wrap; gap: .5rem 1rem; list-style: none; padding: 0; max-width: none }
footer { color: var(--soft); font-size: .85rem; margin: 3rem auto 2rem; border-top: 1px solid var(--line); padding-top: .75rem }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }

@media (max-width: 62rem) { ${cards("wider")} }
@media (max-width: 40rem) {
  header, main, footer { padding: 0 .9rem }
  h1 { font-size: 1.4rem }
  .wide .chart svg text { font-size: 14px } /* in units of the plot, which is twice as wide as the screen */
  ${cards("cards")}
  table.pictures, table.pictures caption, table.pictures tbody, table.pictures tr, table.pictures td, table.pictures tbody th { display: block }
  table.pictures thead { display: none }
  table.pictures td { border: 0 }
  table.pictures td::before { content: attr(data-label); display: block; color: var(--soft) }
  table.pictures img { width: 100% }
}
@media print {
  body { font-size: 10pt }
  header, main, footer { max-width: none; padding: 0 }
  nav, th button::after { display: none }
  th button { text-decoration: none }
  h2 { break-after: avoid }
  tr, figure, img { break-inside: avoid }
  .scroll { overflow: visible }
  table { font-size: 7.5pt }
  table.wider { font-size: 6.5pt }
  details::details-content { content-visibility: visible; block-size: auto }
}
`;

/** Rows as cards, each cell after the name of its column. */
function cards(name: string): string {
  const table = `table.${name}`;
  return `
  ${table}, ${table} tbody, ${table} tr, ${table} tbody th, ${table} caption { display: block; width: 100% }
  ${table} thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  .script ${table} thead { position: static; width: auto; height: auto; clip-path: none; display: block }
  .script ${table} thead tr { display: flex; flex-wrap: wrap; gap: .25rem .75rem }
  .script ${table} thead tr::before { content: "Sort by"; font-weight: 400; color: var(--soft) }
  .script ${table} thead th { border: 0; padding: 0 }
  ${table} tr { border-bottom: 1px solid var(--line); padding: .4rem 0 }
  ${table} th, ${table} td { border: 0; padding: .12rem 0 }
  ${table} tbody th { font-size: .95rem }
  ${table} td { display: flex; justify-content: space-between; gap: 1rem; text-align: right; overflow-wrap: anywhere }
  ${table} td::before { content: attr(data-label); color: var(--soft); text-align: left; flex: none; max-width: 50% }
  ${table} td.share { padding: .12rem .4rem }
  ${table} td.share::before { color: inherit }`;
}
