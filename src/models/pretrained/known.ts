/** Weights that others have trained, by the names they are known under. Sources: torchvision's and timm's lists, and the makers' own pages. */
import type { ChannelStatistics } from '../../data/types.js';

/** Weights under a name. */
export interface KnownWeights {
  /** timm's name for them, `<architecture>.<tag>`, or that of their makers. */
  readonly name: string;
  /** The model of `createModel` that they fit. */
  readonly model: string;
  /** Where the file is. A number after the dash of its name is the beginning of its SHA-256. Without: on the hub, as `timm/<name>`. */
  readonly url?: string;
  /** How the pictures were normalised that they saw. */
  readonly statistics: ChannelStatistics;
  /** Side of those pictures. */
  readonly side: number;
  /** What they were trained on. */
  readonly trainedOn: string;
  /** Other names: torchvision's. */
  readonly also?: readonly string[];
}

const imagenet: ChannelStatistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const half: ChannelStatistics = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const thousand = 'ImageNet (1.3 million pictures, 1,000 classes)';
const many = 'ImageNet-21k (14 million pictures, 21,843 classes), then ImageNet';

const torchvision = (name: string, model: string, file: string, also: readonly string[]): KnownWeights => ({
  name,
  model,
  url: `https://download.pytorch.org/models/${file}`,
  statistics: imagenet,
  side: 224,
  trainedOn: thousand,
  also,
});

const timm = (
  name: string,
  model: string,
  trainedOn: string,
  statistics: ChannelStatistics = imagenet,
  side = 224,
): KnownWeights => ({ name, model, statistics, side, trainedOn });

const cifar = (depth: number, hash: string): KnownWeights => ({
  name: `resnet${depth}.cifar10`,
  model: `resnet${depth}`,
  url: `https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/resnet${depth}-${hash}.th`,
  statistics: imagenet,
  side: 32,
  trainedOn: 'CIFAR-10 (50,000 pictures of 32 pixels, 10 classes)',
});

/** Of each model the one that is taken when only the model is named comes first. */
export const knownWeights: readonly KnownWeights[] = [
  cifar(20, '12fca82f'),
  cifar(32, 'd509ac18'),
  cifar(44, '014dd654'),
  cifar(56, '4bfd9763'),
  torchvision('resnet18.tv_in1k', 'resnet18', 'resnet18-f37072fd.pth', ['ResNet18_Weights.IMAGENET1K_V1']),
  timm('resnet18.a1_in1k', 'resnet18', thousand),
  torchvision('resnet34.tv_in1k', 'resnet34', 'resnet34-b627a593.pth', ['ResNet34_Weights.IMAGENET1K_V1']),
  timm('resnet34.a1_in1k', 'resnet34', thousand),
  // The older ones first: what labels are smoothed and mixed for makes features that transfer worse (Kornblith et al. 2021).
  torchvision('resnet50.tv_in1k', 'resnet50', 'resnet50-0676ba61.pth', ['ResNet50_Weights.IMAGENET1K_V1']),
  torchvision('resnet50.tv2_in1k', 'resnet50', 'resnet50-11ad3fa6.pth', ['ResNet50_Weights.IMAGENET1K_V2']),
  timm('resnet50.a1_in1k', 'resnet50', thousand),
  timm('convnext_atto.d2_in1k', 'convnext-atto', thousand),
  timm('convnext_pico.d1_in1k', 'convnext-pico', thousand),
  timm('convnext_tiny.fb_in22k_ft_in1k', 'convnext-tiny', many),
  timm('convnext_tiny.fb_in1k', 'convnext-tiny', thousand),
  torchvision('convnext_tiny.tv_in1k', 'convnext-tiny', 'convnext_tiny-983f1562.pth', [
    'ConvNeXt_Tiny_Weights.IMAGENET1K_V1',
  ]),
  timm('vit_tiny_patch16_224.augreg_in21k_ft_in1k', 'vit-tiny', many, half),
  timm('vit_small_patch16_224.augreg_in21k_ft_in1k', 'vit-small', many, half),
  timm('vit_small_patch16_224.augreg_in1k', 'vit-small', thousand, half),
  timm('vit_small_patch16_224.dino', 'vit-small', 'ImageNet without its labels (DINO)'),
  timm('deit_tiny_patch16_224.fb_in1k', 'vit-tiny', thousand),
  timm('deit_small_patch16_224.fb_in1k', 'vit-small', thousand),
];

/** timm's architectures that Praxis builds: any tag of theirs is looked for on the hub. */
export const timmArchitectures: readonly string[] = [
  ...new Set(
    knownWeights.filter(({ name }) => !name.endsWith('.cifar10')).map(({ name }) => name.split('.')[0] as string),
  ),
];

const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, '');

/** The weights that a name means: their own, torchvision's, or that of a model, for which the first of its weights are taken. */
export function findWeights(name: string): KnownWeights | undefined {
  const wanted = plain(name);
  return (
    knownWeights.find((one) => [one.name, ...(one.also ?? [])].some((other) => plain(other) === wanted)) ??
    knownWeights.find((one) => plain(one.model) === wanted || plain(one.name.split('.')[0] as string) === wanted)
  );
}

/** The weights of which a file is, by its name: `resnet18-f37072fd.pth`, `resnet18.a1_in1k.safetensors`. */
export function weightsOfFile(file: string): KnownWeights | undefined {
  const base = (file.split(/[\\/]/).pop() ?? '').replace(/\.part$/, '');
  const stem = base.replace(/\.(safetensors|pth?|th|bin|tar)$/, '');
  return knownWeights.find((one) => one.url?.endsWith(`/${base}`) || one.name === stem);
}
