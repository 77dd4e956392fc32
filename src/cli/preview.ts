/** `praxis preview`: what augmentation makes of the pictures, to look at before hours of training. */
import { type Command, Option } from 'commander';

interface PreviewArguments {
  augment: 'auto' | 'none' | 'light' | 'medium' | 'strong';
  count: number;
  seed: number;
  epoch: number;
  epochs: number;
  size: number;
  flips: boolean;
  crops: 'auto' | 'cut' | 'move';
  out: string;
}

/** Pictures that are enough to normalise a preview. */
const measured = 256;

export function addPreview(program: Command): void {
  program
    .command('preview')
    .summary('draw what enters the network')
    .description(
      'Draws some pictures of DATA beside what augmentation and normalisation make of them, decoded back:\nexactly what a network is trained on with the same preset, size and seed.',
    )
    .argument('<data>', 'folder with a folder of pictures per class, or a manifest')
    .addOption(
      new Option('--augment <preset>', 'which augmentation')
        .choices(['auto', 'none', 'light', 'medium', 'strong'])
        .default('auto'),
    )
    .option('--count <n>', 'how many pictures', Number, 8)
    .option('--seed <n>', "the run's seed", Number, 0)
    .option('--epoch <n>', 'first of the epochs shown', Number, 0)
    .option('--epochs <n>', 'how many epochs side by side', Number, 3)
    .option('--size <pixels>', 'height and width of what the network takes', Number, 128)
    .option('--no-flips', 'for pictures that mean something else when mirrored')
    .addOption(
      new Option('--crops <way>', 'parts of pictures, resized, or pictures moved by an eighth; auto: by size')
        .choices(['auto', 'cut', 'move'])
        .default('auto'),
    )
    .option('--out <file>', '.png, .jpg, .webp or .svg', 'preview.png')
    .action(async (source: string, options: PreviewArguments) => {
      const [
        { openSource },
        { subset },
        augment,
        { previewAugmentation },
        { measureChannels },
        random,
        { DataError },
        { formForCrops },
        { sampledSide },
      ] = await Promise.all([
        import('../data/open-source.js'),
        import('../data/sources/index.js'),
        import('../data/augment/index.js'),
        import('../data/preview/index.js'),
        import('../data/normalise/index.js'),
        import('../data/random.js'),
        import('../data/errors.js'),
        import('../train/recipe/augmentation.js'),
        import('../train/recipe/data.js'),
      ]);
      const all = await openSource(source);
      if (all.kind !== 'pictures')
        throw new DataError(`${source} holds no pictures but a ${all.kind} data set, and only pictures are augmented.`);
      // What is kept for testing is not looked at.
      const dataset = all.officialParts === undefined ? all : subset(all, all.officialParts.train);
      const { count, seed, epoch, epochs, size, out } = options;
      const spec = augment.augmentationPreset(options.augment, {
        samplesPerClass: dataset.length / dataset.classes.length,
        size,
        flips: options.flips,
        crops: options.crops,
      });
      // As a training keeps them: larger than the network takes where parts are cut out.
      const taken = { height: size, width: size, channels: 3, fit: 'squash', decode: 'fast' } as const;
      const form = formForCrops(taken, spec, await sampledSide(dataset)) ?? taken;
      const some = random.permutation(dataset.length, seed, 0, random.streams.preview).subarray(0, measured);
      const statistics = await measureChannels(subset(dataset, some), { form, cache: false });
      const description = augment.describeAugmentation(spec);
      const transform = augment.buildAugmentation(spec, { statistics });
      await previewAugmentation({
        dataset,
        transform,
        statistics,
        count,
        seed,
        epoch,
        epochs,
        form,
        description,
        out,
      });
      console.log(`${out}: ${Math.min(count, dataset.length)} pictures of ${dataset.name}, ${description}`);
    });
}
