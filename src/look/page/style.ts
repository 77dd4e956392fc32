/** How the page looks: light and dark, phone and desktop, on paper. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f5f4f0; --card: #ffffff; --ink: #1f1e1c; --soft: #6a6760; --line: #dfdcd4; --stage: #eae8e2;
  --accent: #2b59c3; --error: #b3422f; --warning: #b7791f; --note: #7a776f; --good: #2e7d4f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #151517; --card: #1e1e21; --ink: #edece8; --soft: #a09d96; --line: #37363a; --stage: #101012;
    --accent: #7fa2f5; --error: #e88a78; --warning: #e0b057; --note: #96938b; --good: #6cc48f;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 76px; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
[hidden] { display: none !important; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.wide { max-width: 1180px; margin: 0 auto; padding: 0 22px; }
header.wide { padding-top: 34px; padding-bottom: 18px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -.01em; overflow-wrap: anywhere; }
header p { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
.bar-top { position: sticky; top: 0; z-index: 2; background: var(--ground); border-bottom: 1px solid var(--line); }
.bar-top .wide { display: flex; gap: 20px; align-items: center; padding-top: 10px; padding-bottom: 10px; }
.bar-top nav { display: flex; gap: 16px; font-size: 14.5px; flex: 1; }
#search {
  font: inherit; color: inherit; width: 300px; max-width: 100%; padding: 8px 14px; border-radius: 10px; border: 1px solid var(--line);
  background: var(--card);
}
#found { color: var(--soft); font-size: 14px; min-width: 74px; text-align: right; }
section { margin: 34px 0; }
h2 { font-size: 21px; margin: 0 0 14px; letter-spacing: -.005em; }
h3 { font-size: 16px; margin: 0 0 10px; }
h3 small { color: var(--soft); font-weight: 400; margin-left: 6px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 22px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 13px 16px; }
.tile b { display: block; font-size: 23px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 14px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 18px 20px; margin-bottom: 14px; }
.finding { border-left: 4px solid var(--note); }
.finding.error { border-left-color: var(--error); }
.finding.warning { border-left-color: var(--warning); }
.finding .what { font-size: 12.5px; font-weight: 600; letter-spacing: .03em; color: var(--note); }
.finding.error .what { color: var(--error); }
.finding.warning .what { color: var(--warning); }
.finding p { margin: 3px 0 0; overflow-wrap: anywhere; }
.finding .remedy { color: var(--soft); }
.finding .remedy::before { content: "→ "; }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 14px 12px; margin-top: 14px; }
.groups { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 14px; }
.group { display: flex; flex-wrap: wrap; gap: 8px; background: var(--stage); border-radius: 12px; padding: 10px; max-width: 100%; }
.group figure { width: 108px; }
figure { margin: 0; min-width: 0; }
figure .frame {
  aspect-ratio: 1; background: var(--stage); border-radius: 8px; overflow: hidden; display: flex; align-items: center; justify-content: center;
}
figure img { width: 100%; height: 100%; object-fit: contain; display: block; }
figure img.tiny { image-rendering: pixelated; }
figure .none { color: var(--soft); font-size: 12.5px; padding: 8px; text-align: center; overflow-wrap: anywhere; }
figcaption { font-size: 12px; line-height: 1.35; margin-top: 5px; color: var(--soft); overflow: hidden; }
figcaption span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
figcaption .note { color: var(--ink); }
.more { color: var(--soft); font-size: 14px; margin: 12px 0 0; }
.columns { display: grid; grid-template-columns: minmax(0, 1.1fr) minmax(0, 1fr); gap: 14px; align-items: start; }
.bars { display: grid; grid-template-columns: minmax(60px, max-content) 1fr max-content; gap: 7px 12px; align-items: center; font-size: 14.5px; }
.bars .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 190px; }
.bars .track { background: var(--stage); border-radius: 5px; height: 17px; overflow: hidden; }
.bars .track div { height: 100%; background: var(--accent); border-radius: 5px; min-width: 2px; }
.bars .rare div { background: var(--warning); }
.bars .value { text-align: right; font-variant-numeric: tabular-nums; color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: 14.5px; }
td, th { text-align: left; padding: 5px 14px 5px 0; vertical-align: top; border-bottom: 1px solid var(--line); font-weight: 400; overflow-wrap: anywhere; }
tr:last-child td, tr:last-child th { border-bottom: 0; }
th { color: var(--soft); white-space: nowrap; }
.scroll { overflow-x: auto; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
svg .axis { stroke: var(--line); }
svg .dot { fill: var(--accent); fill-opacity: .38; stroke: var(--accent); stroke-opacity: .7; }
footer.wide { color: var(--soft); font-size: 14px; padding-top: 8px; padding-bottom: 40px; }
@media (max-width: 760px) {
  .wide { padding: 0 14px; }
  h1 { font-size: 24px; }
  .columns { grid-template-columns: minmax(0, 1fr); }
  .bar-top nav { display: none; }
  #search { flex: 1; width: auto; }
  #found:empty { display: none; }
  .strip { grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)); gap: 12px 9px; }
  .card { padding: 14px; }
  .group figure { width: 92px; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media print { .bar-top { display: none; } .card { break-inside: avoid; } }
`;

/** Narrows the page to what a person looks for: names of files, classes, words of findings. Everything works without it but the search. */
export const pageScript = `
const search = document.getElementById('search');
const found = document.getElementById('found');
const figures = [...document.querySelectorAll('[data-search]')];
const holders = [...document.querySelectorAll('[data-holder]')];
const narrow = () => {
  const words = search.value.toLowerCase().split(/\\s+/).filter((word) => word !== '');
  let count = 0;
  for (const figure of figures) {
    const holds = words.every((word) => figure.dataset.search.includes(word));
    figure.hidden = !holds;
    if (holds) count++;
  }
  for (const holder of holders) {
    const own = holder.dataset.holder !== '' && words.every((word) => holder.dataset.holder.includes(word));
    const inside = [...holder.querySelectorAll('[data-search]')];
    if (own && words.length > 0) for (const figure of inside) figure.hidden = false;
    holder.hidden = words.length > 0 && !own && inside.every((figure) => figure.hidden);
  }
  found.textContent = words.length === 0 ? '' : figures.filter((figure) => figure.offsetParent !== null).length + ' shown';
};
search.addEventListener('input', narrow);
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && document.activeElement !== search) { event.preventDefault(); search.focus(); }
  if (event.key === 'Escape') { search.value = ''; narrow(); search.blur(); }
});
`;
