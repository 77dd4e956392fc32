/** What the report's page adds to the common style: charts, the confusion matrix, tables that sort. */
import { pageStyle } from '../../look/page/style.js';

export const reportStyle = `${pageStyle}
:root { --train: #c2691c; --validation: #2b59c3; --right: #2b59c3; --wrong: #c4432b; --on-fill: #ffffff; --third: #2e7d4f; --fourth: #8a4fb5; --fifth: #8f7a1f; }
@media (prefers-color-scheme: dark) {
  :root { --train: #f0a35e; --validation: #7fa2f5; --right: #7fa2f5; --wrong: #f0806a; --on-fill: #101012; --third: #6cc48f; --fourth: #c79bea; --fifth: #d5c15f; }
}
.verdict { font-size: 17px; max-width: 76ch; }
.verdict p { margin: 0 0 8px; color: var(--ink); }
.headline { font-size: 25px; line-height: 1.3; font-weight: 600; letter-spacing: -.01em; margin: 18px 0 12px; max-width: 44ch; }
.bar-top nav { overflow-x: auto; white-space: nowrap; scrollbar-width: none; }
.tile small { display: block; color: var(--soft); font-size: 13px; }
.card > p { margin: 0 0 12px; color: var(--soft); max-width: 82ch; }
.card > p:last-child { margin-bottom: 0; }
.half { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 14px; }
.half > .card { margin-bottom: 0; }
.half { margin-bottom: 14px; }
.plot { position: relative; border-radius: 8px; touch-action: pan-y; cursor: crosshair; min-height: 120px; }
.plot svg { width: auto; max-width: 100%; overflow: visible; }
.legend { display: flex; flex-wrap: wrap; gap: 6px; margin-bottom: 8px; }
button, select {
  font: inherit; font-size: 14px; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 8px; padding: 5px 11px; cursor: pointer;
  min-height: 34px;
}
button:hover, select:hover { border-color: var(--accent); }
.legend button { border: 0; background: none; padding: 2px 8px 2px 2px; color: var(--soft); }
.legend button[aria-pressed="false"] { opacity: .45; text-decoration: line-through; }
.legend i, .tip i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 7px; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .line.faint { stroke-width: 1.3; }
svg .mark { stroke: var(--good); stroke-dasharray: 4 4; stroke-width: 1.5; }
svg text.mark-label { fill: var(--good); font-weight: 600; }
svg .mark.bad { stroke: var(--wrong); }
svg text.mark-label.bad { fill: var(--wrong); }
ol.remedies { margin: 0; padding-left: 22px; }
ol.remedies li { margin-bottom: 9px; }
ol.remedies span { color: var(--soft); }
ol.remedies b.gain { color: var(--good); margin-left: 8px; }
svg .cursor line { stroke: var(--soft); }
svg .cursor circle { stroke: var(--card); stroke-width: 2; }
svg .cursor rect { fill: var(--accent); fill-opacity: .14; }
svg .bar { fill: var(--validation); fill-opacity: .62; }
svg .tick { stroke: var(--train); stroke-width: 3; }
svg .amount { fill: var(--soft); fill-opacity: .6; }
svg .ideal { stroke: var(--ink); stroke-dasharray: 5 5; stroke-opacity: .6; }
.tip {
  position: fixed; z-index: 9; pointer-events: none; background: var(--ink); color: var(--ground); border-radius: 9px; padding: 7px 11px; font-size: 13.5px; max-width: min(330px, 90vw);
  box-shadow: 0 4px 18px rgb(0 0 0 / .22);
}
.tip .head { font-weight: 600; }
.tip b { font-weight: 600; margin-left: 10px; font-variant-numeric: tabular-nums; }
.matrix-grid { display: grid; grid-template-columns: minmax(0, 1fr) 300px; gap: 30px; align-items: start; }
.matrix-grid.many { grid-template-columns: minmax(0, 1fr); }
.matrix-grid.many .list { columns: 2; column-gap: 30px; }
.matrix-grid.many .list li { break-inside: avoid; }
.matrix-grid.few { grid-template-columns: minmax(0, 700px) minmax(0, 1fr); }
#chart-matrix canvas { display: block; border-radius: 6px; cursor: crosshair; }
.tools { display: flex; flex-wrap: wrap; gap: 7px; margin-bottom: 10px; }
.detail h3 { margin: 14px 0 0; }
.list { list-style: none; margin: 0; padding: 0; }
.list button { width: 100%; text-align: left; background: none; border: 0; border-bottom: 1px solid var(--line); border-radius: 0; padding: 7px 4px; display: flex; justify-content: space-between; gap: 10px; }
.list button:hover { background: var(--stage); }
.list .amount { color: var(--soft); white-space: nowrap; font-variant-numeric: tabular-nums; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); gap: 14px; }
.pair .rows { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 1fr); gap: 10px 18px; }
.pairs { margin-bottom: 14px; }
.pairs > .card { margin-bottom: 0; }
.pair .strip { margin-top: 6px; grid-template-columns: repeat(4, minmax(0, 1fr)); }
.pair .rows > div + div .strip { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.pair h4 { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.pair h4, .group-title { font-size: 13px; font-weight: 600; color: var(--soft); margin: 0; }
figure .note b { color: var(--wrong); font-weight: 600; }
figure.right .note b { color: var(--good); }
table.sortable th { padding-top: 0; }
table.sortable th button { border: 0; background: none; padding: 2px 0; min-height: 30px; color: var(--soft); }
table.sortable th button::after { content: " ↕"; opacity: .4; }
th[aria-sort="ascending"] button::after { content: " ↑" !important; opacity: 1 !important; }
th[aria-sort="descending"] button::after { content: " ↓" !important; opacity: 1 !important; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td .meter { display: inline-block; vertical-align: middle; width: 70px; height: 8px; border-radius: 4px; background: var(--stage); margin-left: 9px; overflow: hidden; }
td .meter i { display: block; height: 100%; background: var(--validation); }
td.name { white-space: nowrap; overflow-wrap: normal; }
.tall td { overflow-wrap: break-word; }
table.sortable td:first-child { white-space: nowrap; max-width: 300px; overflow: hidden; text-overflow: ellipsis; }
.tall { max-height: 620px; overflow: auto; }
.tall thead th { position: sticky; top: 0; background: var(--card); }
.advice { border-left: 4px solid var(--accent); }
.advice h3 { margin-bottom: 4px; }
.advice p { color: var(--ink); }
.command { display: flex; gap: 9px; align-items: center; }
code, pre { font: 13.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.command code, pre { flex: 1; min-width: 0; overflow-x: auto; white-space: pre; background: var(--stage); border-radius: 8px; padding: 8px 12px; margin: 0; }
.command + .command { margin-top: 8px; }
.samples { width: 100%; max-width: 780px; border-radius: 8px; image-rendering: pixelated; display: block; }
.changed td { font-weight: 600; }
.finding.good { border-left-color: var(--good); }
.finding.good .what { color: var(--good); }
details ul { margin: 8px 0 0; padding-left: 20px; color: var(--soft); }
details summary { cursor: pointer; color: var(--accent); }
@media (max-width: 980px) { .matrix-grid.many .list { columns: 1; } .matrix-grid, .matrix-grid.few, .half { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 760px) {
  .bar-top nav { display: flex; }
  .headline { font-size: 21px; }
  .verdict { font-size: 16px; }
  .pair .rows { grid-template-columns: minmax(0, 1fr); }
  .pair .rows > div + div .strip { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  td .meter { display: none; }
  td, th { padding-right: 9px; }
  .card > table th { white-space: normal; }
  table.sortable { font-size: 13.5px; }
  table.sortable td:first-child { max-width: 40vw; }
  #overfitting table.sortable td:first-child { max-width: 24vw; }
  #overfitting table.sortable th button::after { content: ""; }
}
@media print { .tools, .legend button[aria-pressed], button[data-copy] { display: none; } }
`;
