/** The command line: one file per command, put together here. Nothing here loads the engine. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../torch/engine.js';
import { addAblate } from './ablate.js';
import { addCache } from './cache.js';
import { addDoctor } from './doctor.js';
import { addDownload } from './download.js';
import { addDraw } from './draw.js';
import { addEnsemble } from './ensemble.js';
import { addEval } from './eval.js';
import { addExport } from './export.js';
import { addLearningCurve } from './learning-curve.js';
import { addLook } from './look.js';
import { addModels } from './models.js';
import { addNormalise } from './normalise.js';
import { addOverfit } from './overfit.js';
import { addPredict } from './predict.js';
import { addPretrain } from './pretrain.js';
import { addPreview } from './preview.js';
import { addProbe } from './probe.js';
import { addQuiz } from './quiz.js';
import { addReport } from './report.js';
import { addRuns } from './runs.js';
import { addSetup } from './setup.js';
import { addSplit } from './split.js';
import { addTest } from './test.js';
import { addFinetune, addResume, addTrain } from './train.js';

/** Commands in the order in which help lists them. */
const commands: readonly ((program: Command) => void)[] = [
  addTrain,
  addFinetune,
  addPretrain,
  addProbe,
  addResume,
  addTest,
  addPredict,
  addEval,
  addExport,
  addEnsemble,
  addReport,
  addOverfit,
  addAblate,
  addLearningCurve,
  addRuns,
  addLook,
  addQuiz,
  addSplit,
  addNormalise,
  addPreview,
  addModels,
  addDraw,
  addDownload,
  addCache,
  addSetup,
  addDoctor,
];

/** Exit code for a command line that cannot be understood; 1 is for work that failed. */
const misuse = 2;

/** Turns commander's message into one sentence: `Unknown command 'doctr'. Did you mean doctor?` */
export function sentence(message: string): string {
  const text = message.trim().replace(/^error: /, '');
  const [first = '', suggestion] = text.split(/\n\(?/);
  const head = first.charAt(0).toUpperCase() + first.slice(1);
  return `${head.replace(/[.)]?$/, '.')}${suggestion ? ` ${suggestion.replace(/\)$/, '')}` : ' See praxis --help.'}`;
}

/** The program with all its commands. */
export function makeProgram(): Command {
  const { version } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  const program = new Command('praxis')
    .description(
      "Deep learning in practice: libtorch's speed and numbers, every step of good practice done, shown and explained.",
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print help for a command')
    .showSuggestionAfterError(true)
    .addHelpText('after', '\nPRAXIS_TRACE=1 shows where an error came from.')
    .configureOutput({ outputError: (message, write) => write(`${sentence(message)}\n`) })
    .exitOverride();
  for (const add of commands) add(program);
  return program;
}

/** Says in one sentence what went wrong; the stack only for those who ask for it. @returns the exit code */
function complain(error: unknown): number {
  const message = error instanceof Error && error.message !== '' ? error.message : String(error);
  const text = process.env.PRAXIS_TRACE ? ((error as Error | undefined)?.stack ?? message) : message;
  process.stderr.write(`✘ ${text}\n`);
  return error instanceof Error && error.name === 'ConfigError' ? misuse : 1;
}

/**
 * Runs a command line.
 * @param args without node and the script, e.g. `['doctor', '--json']`
 * @returns the exit code: 0, 1 when the work failed, 2 when the command line cannot be understood
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const program = makeProgram();
    // Without a command: help, as an answer and not as an error.
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander throws for help and version too, with exit code 0; what it complains about it has printed.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : misuse;
    return complain(error);
  }
}
