/** Sections about what was trained on what: curves, data, settings, time, and how to use what came of it. */
import { counted, duration, grouped, millions, percent, short } from '../numbers.js';
import type { Finding, ReportData } from '../report-data.js';
import { leftBehindSentence } from '../verdict.js';
import { card, chart, command, html, pre, prose, row, section } from './parts.js';

export function curvesSection(report: ReportData): string {
  const { curves, steps, chosen, rangeTest, growth, data } = report;
  if (curves.epoch.length === 0 && steps.step.length === 0) return '';
  const how =
    'Training figures are of the pictures as they were trained on, changed at random and while the network was still getting better: they may be lower than those of the validation.';
  const grown =
    growth === null
      ? ''
      : ` It was trained on ${growth}. The validation is of pictures of ${data.size === null ? 'the whole size' : data.size.join('×')} throughout: until they had grown, it shows less than what was learned.`;
  const which =
    chosen === null || chosen.epoch === null
      ? ''
      : ` The weights of epoch ${short(chosen.epoch)} were chosen${chosen.checkpoints > 1 ? `, averaged over the best ${chosen.checkpoints} checkpoints` : ''}${chosen.averaged ? ' (each the moving average over the last updates)' : ''}.`;
  const both =
    curves.epoch.length === 0
      ? ''
      : `<div class="half">${card('Loss', chart('chart-loss'))}${card('Accuracy', chart('chart-accuracy'))}</div>`;
  const range =
    rangeTest === null
      ? ''
      : card(
          'Range test',
          chart('chart-range'),
          `To find how high the learning rate may be, it was raised step by step before the training; ${rangeTest.complete ? `the loss spiked above ${short(rangeTest.suggestions.highest ?? Number.NaN)}` : 'the loss did not spike'}. The training itself began afresh.`,
        );
  const norms = steps.gradientNorm.some((value) => Number.isFinite(value))
    ? card('Norm of the gradient', chart('chart-gradient'))
    : '';
  const single =
    steps.step.length === 0
      ? ''
      : `<div class="half">${card('Learning rate', chart('chart-rate'))}${range}${card('Loss of single steps', chart('chart-steps'))}${norms}</div>`;
  return section(
    'curves',
    'How it learned',
    `<div class="card"><p>${prose(`${leftBehindSentence(report)}${which} ${how}${grown}`.trim())}</p></div>${both}${single}`,
  );
}

export function adviceSection({ advice }: ReportData): string {
  const cards = advice.map(
    ({ title, evidence, command: text }) =>
      `<article class="card advice"><h3>${html(title)}</h3><p>${prose(evidence)}</p>${text === null ? '' : command(text)}</article>`,
  );
  return section('next', 'What to try next, and why', cards.join(''));
}

const severities: Readonly<Record<string, number>> = { error: 0, warning: 1, note: 2, good: 3 };

/** What is not as it should be, each on a card; what was checked and is in order, folded together. */
function findingCards(findings: readonly Finding[]): string {
  const sorted = [...findings].sort((a, b) => (severities[a.severity] ?? 2) - (severities[b.severity] ?? 2));
  const cards = sorted
    .filter(({ severity }) => severity !== 'good')
    .map(
      ({ severity, about, message, remedy }) =>
        `<article class="card finding ${html(severity)}"><div class="what">${html(severity)} · ${html(about)}</div><p>${html(message)}</p>${remedy === '' ? '' : `<p class="remedy">${html(remedy)}</p>`}</article>`,
    );
  const good = sorted.filter(({ severity }) => severity === 'good');
  const fine =
    good.length === 0
      ? ''
      : `<div class="card"><details${cards.length === 0 ? ' open' : ''}><summary>${counted(good.length, 'check')} found nothing wrong</summary><ul>${good.map(({ message }) => `<li>${html(message)}</li>`).join('')}</ul></details></div>`;
  return `${cards.join('')}${fine}`;
}

export function dataSection(report: ReportData, samples: string): string {
  const { data, findings, tests } = report;
  const seal =
    data.test === 0
      ? 'none'
      : tests.length === 0
        ? 'sealed; never opened'
        : `opened ${tests.length === 1 ? 'once' : `${tests.length} times`}`;
  const facts = [
    row('Data', data.name),
    ...(data.place === '' ? [] : [row('Place', data.place)]),
    row(`All ${data.noun}s`, grouped(data.samples)),
    row('Classes', grouped(data.classes.length)),
    row('Training', grouped(data.train)),
    row('Validation', grouped(data.validation)),
    row('Test', `${grouped(data.test)} (${seal})`),
    ...(data.size === null ? [] : [row('Size in the network', `${data.size[1]} × ${data.size[0]} pixels`)]),
    ...(data.mean === null ? [] : [row('Mean', data.mean.map((x) => x.toFixed(3)).join(', '))]),
    ...(data.deviation === null ? [] : [row('Deviation', data.deviation.map((x) => x.toFixed(3)).join(', '))]),
  ];
  const uses =
    tests.length === 0
      ? ''
      : card(
          'Every time the test part was opened',
          `<div class="scroll"><table><thead><tr><th>time</th><th>when</th><th>by</th><th class="number">result</th></tr></thead><tbody>${tests
            .map(
              ({ number, time, command: text, score }) =>
                `<tr><td>${number}</td><td>${html(time.slice(0, 16).replace('T', ' '))}</td><td>${html(text)}</td><td class="number">${score === null ? '–' : percent(score)}</td></tr>`,
            )
            .join('')}</tbody></table></div>`,
        );
  const seen =
    samples === ''
      ? ''
      : card(
          'As the network sees it',
          `<img class="samples" src="${samples}" alt="Training pictures after augmentation, at the size of the network">`,
          'A batch of the training part after all changes that are made to it at random, at the size at which it enters.',
        );
  return section(
    'data',
    'What it was given',
    `<div class="half">${card('Facts', `<table>${facts.join('')}</table>`)}${seen}</div>${uses}${findings.length === 0 ? '' : `<h3 class="group-title">What was found in the data and on the way</h3>${findingCards(findings)}`}`,
  );
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => (typeof one === 'number' ? short(one) : String(one))).join(' / ');
  if (typeof value === 'number') return short(value, 4);
  return value === null || value === undefined ? '' : String(value);
}

export function settingsSection(report: ReportData): string {
  const { settings, machine, time, told, model, run } = report;
  const rows = settings.map(
    ({ name, value, became, reason, changed, help }) =>
      `<tr${changed ? ' class="changed"' : ''} title="${html(help)}"><td class="name">${html(name)}</td><td>${html(shown(value))}${became === undefined || shown(became) === shown(value) ? '' : ` → ${html(shown(became))}`}</td><td>${html(reason ?? '')}</td></tr>`,
  );
  const text = (name: string): string => (typeof machine[name] === 'string' ? (machine[name] as string) : '');
  const facts = [
    ...(model.parameters === null ? [] : [row('Parameters', millions(model.parameters))]),
    ...(model.multiplyAdds === null
      ? []
      : [row(`Multiply-adds per ${report.data.noun}`, millions(model.multiplyAdds))]),
    row('Whole run', duration(time.whole)),
    ...(time.training === null ? [] : [row('Of that training', duration(time.training))]),
    ...(time.perEpoch === null ? [] : [row('An epoch, without its validation', duration(time.perEpoch))]),
    ...(time.perSecond === null ? [] : [row('Speed', `${grouped(time.perSecond)} ${report.data.noun}s a second`)]),
    ...(time.waiting === null ? [] : [row('Waiting for data', percent(time.waiting))]),
    row(
      'Machine',
      [text('processor'), machine.cores === undefined ? '' : `${String(machine.cores)} cores`]
        .filter((one) => one !== '')
        .join(', '),
    ),
    row(
      'Ran on',
      [
        text('device'),
        text('precision'),
        text('memoryFormat'),
        machine.threads === undefined ? '' : counted(Number(machine.threads), 'thread'),
        machine.convolutions === 'rearranged' ? 'convolutions rearranged' : '',
      ]
        .filter((one) => one !== '')
        .join(', '),
    ),
    row('Software', `libtorch ${text('torch')}, Node ${text('node').replace(/^v/, '')}, ${text('system')}`),
    ...(run.seed === null ? [] : [row('Seed', String(run.seed))]),
    row('Begun', run.created.slice(0, 16).replace('T', ' ')),
  ];
  const lines = told
    .filter(({ kind }) => kind === 'stage')
    .map(
      ({ stage, text: said, seconds }) =>
        `<tr><th>${html(stage ?? '')}</th><td>${html(said)}</td><td class="number">${duration(seconds)}</td></tr>`,
    );
  const steps =
    lines.length === 0
      ? ''
      : card('What it said, step by step', `<div class="scroll"><table>${lines.join('')}</table></div>`);
  return section(
    'settings',
    'Settings, time and machine',
    `<div class="half">${card('Time and machine', `<table>${facts.join('')}</table>`)}${card('Settings', `<div class="scroll tall"><table><tbody>${rows.join('')}</tbody></table></div>`, 'In bold: other than the default. An arrow shows what auto became.')}</div>${steps}`,
  );
}

export function useSection(report: ReportData): string {
  const { run, data, tests, figures } = report;
  if (figures === null)
    return section(
      'use',
      'How to go on',
      card(
        '',
        command(
          report.settings.length === 0 ? (run.commands[0] ?? 'praxis train DATA') : `praxis resume ${run.folder}`,
        ),
      ),
    );
  const predict =
    data.noun === 'picture'
      ? `${card('In a terminal', command(`praxis predict ${run.folder} picture.jpg`), 'The most probable classes of any picture, or of all in a folder.')}${card(
          'From a program',
          pre([
            "import { loadRun } from 'praxis';",
            '',
            `const model = await loadRun('${run.folder}');`,
            "const { guesses } = await model.predict('picture.jpg');",
            'console.log(guesses);   // [{ label, probability }, …]',
          ]),
        )}${card('On other data', command(`praxis eval ${run.folder} DATA`), 'How good it is on pictures from somewhere else.')}${card('Elsewhere', command(`praxis export ${run.folder} --format onnx`), 'As a file that other programs run: onnx; or pt and safetensors for Python.')}`
      : '';
  const test =
    data.test === 0
      ? ''
      : card(
          'The test, once',
          command(`praxis test ${run.folder}${tests.length > 0 ? ' --again' : ''}`),
          tests.length === 0
            ? `When all choices are made: opens the seal of ${counted(data.test, data.noun)} that nothing was chosen by.`
            : 'It was opened already; a further time makes the figure less true, and is counted.',
        );
  const again = run.commands[0] === undefined ? '' : card('The same once more', command(run.commands[0]));
  const how = `The weights are model.safetensors, which Python reads as well; the classes and the normalisation are in normalisation.json beside it.`;
  return section(
    'use',
    'How to use it',
    `<div class="card"><p>${html(how)}</p></div><div class="half">${predict}${test}${again}</div>`,
  );
}
