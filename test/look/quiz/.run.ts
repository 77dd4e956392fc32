import { Command } from 'commander';
import { addQuiz } from '../../../src/cli/quiz.js';
const program = new Command();
addQuiz(program);
await program.parseAsync(process.argv.slice(2), { from: 'user' }).catch((e) => { console.error('✘ ' + e.message); process.exitCode = 1; });
