/** `praxis export`: a finished run as one file for other programs. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { ConfigError } from '../train/errors.js';
import { oneOf, wholeNumber } from './values.js';

interface ExportArguments {
  readonly format: string;
  readonly out?: string;
  readonly opset?: string;
  readonly withNormalisation?: string | true;
  readonly softmax?: boolean;
  readonly force?: boolean;
}

export function addExport(program: Command): void {
  program
    .command('export')
    .summary('write the chosen model for other programs: ONNX, safetensors, PyTorch')
    .description(
      'onnx         the whole network: onnxruntime runs it, in Python, Node, C++ or a browser\nsafetensors  the weights under their names in PyTorch; classes, normalisation and model in its header\npt           the weights, for torch.load(file, weights_only=True)',
    )
    .argument('<run>', 'run folder')
    .option('--format <format>', 'onnx, safetensors or pt', 'onnx')
    .option('--out <file>', 'where to; default: the name of the run, in this folder')
    .option(
      '--with-normalisation [layout]',
      'onnx: take uint8 pictures, 0 to 255, nchw (default) or nhwc, and normalise in the file',
    )
    .option('--softmax', 'onnx: give probabilities instead of logits')
    .option('--opset <version>', "onnx: version of ONNX's operators, 14 to 22 (default 17)")
    .option('--force', 'replace a file that is there')
    .action(async (folder: string, options: ExportArguments) => {
      const [{ exportFormats, exportRun }, { loadRun }] = await Promise.all([
        import('../train/use/export-run.js'),
        import('../train/predict.js'),
      ]);
      const format = oneOf('--format', options.format, exportFormats);
      const layout = options.withNormalisation;
      if (format !== 'onnx')
        for (const [flag, given] of [
          ['--with-normalisation', layout],
          ['--softmax', options.softmax],
          ['--opset', options.opset],
        ] as const)
          if (given !== undefined)
            throw new ConfigError(`${flag} goes with --format onnx: a file of ${format} holds weights only.`);
      const run = await loadRun(folder);
      const file = path.resolve(options.out ?? `${path.basename(run.folder)}.${format}`);
      if (existsSync(file) && statSync(file).isDirectory())
        throw new ConfigError(
          `${file} is a folder; name a file: --out ${path.join(options.out ?? '', `model.${format}`)}`,
        );
      if (existsSync(file) && options.force !== true)
        throw new ConfigError(`${file} is there already; choose another name with --out, or replace it with --force.`);
      mkdirSync(path.dirname(file), { recursive: true });
      await exportRun(run, file, {
        format,
        ...(layout === undefined
          ? {}
          : {
              withNormalisation:
                layout === true ? ('nchw' as const) : oneOf('--with-normalisation', layout, ['nchw', 'nhwc'] as const),
            }),
        ...(options.softmax === true ? { softmax: true } : {}),
        ...(options.opset === undefined ? {} : { opset: wholeNumber('--opset', options.opset) }),
      });
      console.log(`${path.relative(process.cwd(), file) || file}  ${(statSync(file).size / 1e6).toFixed(1)} MB`);
    });
}
