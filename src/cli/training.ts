/** How the commands that train show it, and how they end: a line a stage, a line an epoch, one that changes; Ctrl-C saves. */
import type { LookSeverity } from '../look/report.js';
import { marks } from '../look/terminal.js';
import type { TrainEvent } from '../train/events.js';
import type { Training } from '../train/train.js';
import { duration } from './runs.js';
import { fitParts, StatusLine, stepParts } from './status-line.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A finding about the data in one line. @param columns of the terminal; elsewhere it is not cut */
export function findingLine(
  { severity, text }: { readonly severity: LookSeverity; readonly text: string },
  columns = Number.POSITIVE_INFINITY,
): string {
  return fitParts([`  ${marks[severity]} ${text}`], columns - 1);
}

/** The line of an event that stays on the screen; undefined for one that does not. */
export function lineOf(event: TrainEvent, folder = ''): string | undefined {
  switch (event.kind) {
    case 'stage':
      return `${event.stage.padEnd(13)} ${event.text}`;
    case 'epoch': {
      const digits = String(event.epochs).length;
      const { validation } = event;
      const score = validation.scoreName === 'accuracy' ? 'accuracy' : validation.scoreName;
      return `  epoch ${String(event.epoch).padStart(digits)}/${event.epochs}  train loss ${event.trainLoss.toFixed(3)} ${score} ${percent(event.trainAccuracy)}  validation loss ${validation.loss.toFixed(3)} ${score} ${percent(validation.score)}  ${duration(event.seconds)}, ${Math.round(event.perSecond)}/s, waiting ${Math.round(100 * event.waiting)} %${event.best ? '  ★ best so far' : ''}`;
    }
    case 'finding':
      return findingLine(event);
    case 'warning':
      return `! ${event.text}`;
    case 'note':
      return event.text;
    case 'rollback':
      return `! ${event.text}`;
    case 'finished':
      if (event.state === 'stopped' && !event.resumable) return event.text;
      return event.state === 'stopped'
        ? `${event.text}\n  go on with: praxis resume ${folder || event.folder}`
        : undefined;
    default:
      return undefined;
  }
}

/** Exit codes of a process that a signal ended, as shells have them. */
export const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Shows a training until it ends. The first Ctrl-C or SIGTERM finishes the step, saves and says how to go on; the second leaves at once:
 * every file is whole at every moment.
 * @returns the exit code
 */
export async function showTraining(training: Training, options: { readonly quiet?: boolean } = {}): Promise<number> {
  const line = new StatusLine(process.stdout);
  let code = 0;
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (code !== 0) process.exit(signalCodes[signal]);
    code = signalCodes[signal];
    training.stop(signal === 'SIGINT' ? 'Ctrl-C' : 'SIGTERM');
    line.print(
      `${signal === 'SIGINT' ? 'Ctrl-C' : 'SIGTERM'}: finishing this step and saving; once more to leave at once.`,
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  let warned = new Set<string>();
  try {
    for await (const event of training) {
      if (event.kind === 'step') line.update(stepParts(event));
      else if (event.kind === 'working')
        line.update([
          `${event.stage}: ${event.text}${event.share === undefined ? '' : ` ${Math.round(100 * event.share)} %`}`,
        ]);
      else {
        // The same trouble again and again is told once.
        if (event.kind === 'warning' && warned.has(event.text)) continue;
        if (event.kind === 'warning') warned = warned.add(event.text);
        const text =
          event.kind === 'finding' ? findingLine(event, line.live ? process.stdout.columns : undefined) : lineOf(event);
        if (text !== undefined && !(options.quiet === true && event.kind === 'stage')) line.print(text);
      }
    }
    // A signal that came when nothing was left to stop changes nothing: whoever sent it must not try to go on with this run.
    return (await training).state === 'finished' ? 0 : code;
  } finally {
    line.close();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}
