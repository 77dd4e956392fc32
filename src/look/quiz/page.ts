/** The quiz's page: one HTML document with everything in it; only pictures and answers go to and fro. */
import { pageResult } from './page-result.js';
import { pageScript } from './page-script.js';
import { pageStyle } from './page-style.js';

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] as string);

/** @param nonce only style and script with it are run, as the server's content security policy says */
export function quizPage({ title, nonce }: { readonly title: string; readonly nonce: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Quiz: ${escaped(title)}</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${pageStyle}</style>
</head>
<body>
<header>
  <div class="title"><strong id="name"></strong><span id="about"></span><output id="count" aria-live="polite"></output></div>
  <div class="bar"><div id="fill"></div></div>
</header>
<main>
  <div id="notice" class="notice" role="alert" hidden></div>
  <section id="learn" hidden>
    <div class="panel"><h2>First, what is what</h2>
      <p class="soft">Pictures of the training part, as the network gets them. It learns from all of them; you get these.</p>
      <div id="examples" class="examples"></div></div>
    <div class="sticky"><button id="begin" class="primary" type="button">Begin <kbd>Space</kbd></button></div>
  </section>
  <section id="ask" class="ask" hidden>
    <div>
      <div id="stage" class="stage"></div>
      <div class="views" role="group" aria-label="How the picture is shown">
        <button id="view-smooth" type="button" aria-pressed="true">Enlarged</button>
        <button id="view-pixels" type="button" aria-pressed="false">Pixels</button>
        <button id="view-actual" type="button" aria-pressed="false">Actual size</button>
      </div>
    </div>
    <div>
      <h2 class="question">What is this?</h2>
      <div id="choices" class="choices" hidden></div>
      <div id="finder" hidden>
        <input id="search" class="search" type="text" placeholder="Type a few letters, then Enter" aria-label="Class" role="combobox"
          aria-expanded="true" aria-controls="options" autocomplete="off" autocapitalize="off" spellcheck="false">
        <ul id="options" class="options" role="listbox" aria-label="Classes"></ul>
      </div>
      <div class="actions">
        <button id="undo" class="action" type="button">Undo <kbd>⌫</kbd></button>
        <button id="skip" class="action" type="button">Skip <kbd id="skip-key"></kbd></button>
        <button id="finish" class="action quiet" type="button">Finish now</button>
      </div>
    </div>
  </section>
  <section id="check" hidden>
    <div class="panel"><h2>All <span id="answered"></span> are answered</h2>
      <p class="soft">After this, nothing can be changed.</p>
      <div class="actions"><button id="result" class="primary" type="button">Show the result <kbd>Enter</kbd></button>
      <button id="undo-check" class="action" type="button">Undo the last <kbd>⌫</kbd></button></div></div>
  </section>
  <section id="done" hidden></section>
</main>
<script nonce="${nonce}">${pageResult}${pageScript}</script>
</body>
</html>
`;
}
