/** How the quiz's page looks: light and dark, phone and desktop. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f5f4f0; --card: #ffffff; --ink: #1f1e1c; --soft: #6a6760; --line: #dfdcd4; --stage: #eae8e2;
  --accent: #2b59c3; --accent-ink: #ffffff; --good: #2e7d4f; --bad: #b3422f; --net: #b7791f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #151517; --card: #1e1e21; --ink: #edece8; --soft: #a09d96; --line: #37363a; --stage: #101012;
    --accent: #7fa2f5; --accent-ink: #10131c; --good: #6cc48f; --bad: #e88a78; --net: #e0b057;
  }
}
* { box-sizing: border-box; }
html, body { margin: 0; min-height: 100%; }
body {
  background: var(--ground); color: var(--ink); display: flex; flex-direction: column; min-height: 100vh; min-height: 100dvh;
  font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
button, input { font: inherit; color: inherit; }
button { cursor: pointer; touch-action: manipulation; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
[hidden] { display: none !important; }

header { padding: 14px 20px 10px; max-width: 1080px; width: 100%; margin: 0 auto; }
.title { display: flex; align-items: baseline; gap: 10px; }
.title strong { font-size: 17px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.title span { color: var(--soft); font-size: 14px; flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.title output { font-variant-numeric: tabular-nums; font-weight: 600; white-space: nowrap; }
.bar { height: 5px; border-radius: 3px; background: var(--line); margin-top: 9px; overflow: hidden; }
.bar div { height: 100%; width: 0; background: var(--accent); border-radius: 3px; transition: width .18s ease-out; }

main { flex: 1; width: 100%; max-width: 1080px; margin: 0 auto; padding: 6px 20px 20px; }
.notice { background: var(--bad); color: var(--card); border-radius: 10px; padding: 10px 14px; margin-bottom: 12px; }

.ask { display: grid; grid-template-columns: minmax(0, 1.35fr) minmax(260px, 1fr); gap: 26px; align-items: start; }
.stage {
  background: var(--stage); border-radius: 14px; display: flex; align-items: center; justify-content: center; overflow: hidden;
  height: min(66vh, 560px); padding: 14px;
}
.stage img { display: block; width: 100%; height: 100%; object-fit: contain; border-radius: 4px; }
.stage[data-view=pixels] img { image-rendering: pixelated; }
.stage[data-view=actual] img { width: auto; height: auto; max-width: 100%; max-height: 100%; }
.views { display: flex; justify-content: center; gap: 4px; margin-top: 10px; }
.views button { border: 0; background: none; border-radius: 8px; padding: 5px 11px; font-size: 13.5px; color: var(--soft); }
.views button[aria-pressed=true] { background: var(--card); color: var(--ink); box-shadow: 0 0 0 1px var(--line); }

h2 { font-size: 15px; margin: 0 0 10px; font-weight: 600; }
.choices { display: grid; gap: 8px; }
.choice, .result-row {
  display: flex; align-items: center; gap: 12px; width: 100%; text-align: left; min-height: 46px; padding: 8px 14px;
  background: var(--card); border: 1px solid var(--line); border-radius: 11px;
}
.choice:active, .options li[aria-selected=true] { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
@media (hover: hover) { .choice:hover { border-color: var(--accent); } }
kbd {
  font: 600 12.5px/1 ui-monospace, "SF Mono", Menlo, Consolas, monospace; color: var(--soft); border: 1px solid var(--line);
  border-bottom-width: 2px; border-radius: 5px; padding: 4px 7px; background: var(--ground); white-space: nowrap;
}
.search { width: 100%; padding: 11px 14px; border-radius: 11px; border: 1px solid var(--line); background: var(--card); }
.options {
  list-style: none; margin: 8px 0 0; padding: 4px; max-height: min(46vh, 400px); overflow-y: auto; background: var(--card);
  border: 1px solid var(--line); border-radius: 11px;
}
.options li { padding: 8px 11px; border-radius: 8px; cursor: pointer; overflow-wrap: anywhere; }
@media (hover: hover) { .options li:hover:not([aria-selected=true]) { background: var(--ground); } }
.options .none { color: var(--soft); cursor: default; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 14px; }
.action {
  display: inline-flex; align-items: center; gap: 8px; border: 1px solid var(--line); background: none; border-radius: 10px;
  padding: 8px 12px; font-size: 14.5px;
}
.action:disabled { opacity: .4; cursor: default; }
.action.quiet { border-color: transparent; color: var(--soft); margin-left: auto; }
.primary {
  border: 0; background: var(--accent); color: var(--accent-ink); border-radius: 11px; padding: 12px 20px; font-weight: 600;
  display: inline-flex; gap: 10px; align-items: center;
}
.primary kbd { background: none; color: inherit; border-color: currentColor; opacity: .8; }

.panel { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 22px 24px; margin-bottom: 16px; }
.panel p { margin: 0 0 14px; max-width: 62ch; }
.panel p:last-child { margin-bottom: 0; }
.soft { color: var(--soft); }
.sticky { position: sticky; bottom: 0; padding: 14px 0; background: linear-gradient(transparent, var(--ground) 35%); text-align: center; }
.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 16px 22px; }
.examples h3 { margin: 0 0 6px; font-size: 14.5px; overflow-wrap: anywhere; }
.examples div { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px; }
.examples.single { grid-template-columns: repeat(auto-fill, minmax(120px, 1fr)); }
.examples.single div { grid-template-columns: 1fr; }
.examples img, .missed img { width: 100%; aspect-ratio: var(--aspect); object-fit: cover; display: block; border-radius: 8px; background: var(--stage); }

.verdict { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; margin-bottom: 16px; }
.verdict b { font-size: 60px; line-height: 1; letter-spacing: -.02em; font-weight: 700; }
.verdict i { font-style: normal; font-size: 24px; color: var(--soft); }
.verdict span { flex-basis: 100%; color: var(--soft); }
.range { display: grid; grid-template-columns: 44px 1fr; gap: 8px 10px; align-items: center; font-size: 13.5px; color: var(--soft); max-width: 640px; }
.range .track { height: 16px; border-radius: 8px; background: var(--ground); box-shadow: inset 0 0 0 1px var(--line); position: relative; overflow: hidden; }
.range .band { position: absolute; top: 0; bottom: 0; opacity: .35; background: var(--accent); }
.range .dot { position: absolute; top: 2px; bottom: 2px; width: 4px; margin-left: -2px; border-radius: 2px; background: var(--accent); }
.range .net .band, .range .net .dot { background: var(--net); }
.range .scale { display: flex; justify-content: space-between; font-size: 12px; }
.figures { display: flex; flex-wrap: wrap; gap: 10px 34px; margin: 20px 0 0; }
.figures div { display: flex; flex-direction: column; }
.figures dt { order: 2; color: var(--soft); font-size: 13.5px; }
.figures dd { margin: 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; }
.missed { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 16px; }
.missed figure { margin: 0; font-size: 14px; min-width: 0; }
.missed figcaption { margin-top: 6px; overflow-wrap: anywhere; line-height: 1.35; }
.missed .is { color: var(--good); font-weight: 600; }
.missed .said { color: var(--bad); }
.missed small { color: var(--soft); display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.scroll { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 3px; font-size: 14px; font-variant-numeric: tabular-nums; }
th { font-weight: 500; color: var(--soft); text-align: right; padding: 3px 8px; white-space: nowrap; max-width: 150px; overflow: hidden; text-overflow: ellipsis; }
thead th { text-align: center; max-width: 74px; font-size: 13px; padding: 3px 2px; }
td { min-width: 46px; height: 36px; text-align: center; border-radius: 6px; background: var(--ground); color: var(--soft); }
td.hit { background: color-mix(in srgb, var(--good) var(--heat), var(--ground)); color: var(--ink); }
td.miss { background: color-mix(in srgb, var(--bad) var(--heat), var(--ground)); color: var(--ink); }
.pairs { margin: 0; padding: 0; list-style: none; columns: 300px; }
.pairs li { padding: 3px 0; break-inside: avoid; }
code { font: 13.5px ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }

@media (max-width: 760px) {
  header { padding: 10px 14px 8px; }
  main { padding: 4px 14px 14px; }
  .ask { grid-template-columns: minmax(0, 1fr); gap: 12px; }
  .stage { height: min(42vh, 92vw); padding: 8px; }
  .views { margin-top: 6px; }
  h2.question { display: none; }
  .choices { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .choice { padding: 8px 10px; gap: 9px; overflow-wrap: anywhere; }
  .choices:has(.choice:nth-child(odd):last-child) .choice:last-child { grid-column: span 2; }
  .options { max-height: 30vh; }
  .panel { padding: 16px; }
  .missed { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; }
  .examples:not(.single) { grid-template-columns: minmax(0, 1fr); }
  .verdict b { font-size: 52px; }
  thead th { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; max-height: 110px; max-width: none; }
  th { padding: 3px 5px 3px 0; max-width: 96px; }
  td { min-width: 34px; height: 34px; }
}
@media (hover: none) and (pointer: coarse) { kbd { display: none; } .choice { justify-content: center; text-align: center; } }
`;
