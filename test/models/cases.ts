/** Models and what they must equal, for the tests beside Python. */
import type { nn } from '../../src/index.js';
import { CifarResNet, ConvNet, createModel, ResNet } from '../../src/models/index.js';

export interface ModelCase {
  readonly name: string;
  readonly make: () => nn.Module;
  /** The reference, an expression in scripts/golden/models.py. */
  readonly python: string;
  /** The Python module it comes from, where that is not torch itself. */
  readonly module?: 'torchvision' | 'timm';
  readonly size: readonly [number, number];
  readonly channels?: number;
  /** Whether the print is the same, character for character. */
  readonly print?: boolean;
}

export const cases: readonly ModelCase[] = [
  {
    name: 'convnet-seed',
    make: () => new ConvNet({ channels: 32, blocks: 4, classes: 102 }),
    python: 'ConvNet(channels_l0=32, n_blocks=4)',
    size: [64, 64],
    print: true,
  },
  {
    name: 'convnet-small',
    make: () => createModel('convnet', { classes: 5, width: 8, depth: 2 }),
    python: 'ConvNet(8, 2, 5)',
    size: [40, 33],
    print: true,
  },
  {
    name: 'resnet20',
    make: () => createModel('resnet20', { classes: 10 }),
    python: 'CifarResNet(20)',
    size: [32, 32],
  },
  {
    name: 'resnet32-B',
    make: () => new CifarResNet({ depth: 32, option: 'B', classes: 7 }),
    python: "CifarResNet(32, 'B', 7)",
    size: [28, 30],
  },
  {
    name: 'resnet18',
    make: () => createModel('resnet18', { classes: 1000 }),
    python: 'torchvision.models.resnet18()',
    module: 'torchvision',
    size: [64, 64],
    print: true,
  },
  {
    name: 'resnet34',
    make: () => createModel('resnet34', { classes: 9 }),
    python: 'torchvision.models.resnet34(num_classes=9)',
    module: 'torchvision',
    size: [65, 64],
    print: true,
  },
  {
    name: 'resnet50',
    make: () => createModel('resnet50', { classes: 1000 }),
    python: 'torchvision.models.resnet50()',
    module: 'torchvision',
    size: [64, 64],
    print: true,
  },
  {
    name: 'resnet26-zero',
    make: () => new ResNet({ block: 'bottleneck', classes: 11, zeroInitResidual: true }),
    python:
      'torchvision.models.ResNet(torchvision.models.resnet.Bottleneck, [2, 2, 2, 2], num_classes=11, zero_init_residual=True)',
    module: 'torchvision',
    size: [64, 64],
    print: true,
  },
  {
    name: 'resnet18-averaging',
    make: () => new ResNet({ averageDown: true, classes: 5 }),
    python: "timm.create_model('resnet18', num_classes=5, block_args=dict(), avg_down=True, zero_init_last=False)",
    module: 'timm',
    size: [64, 64],
  },
  {
    name: 'resnet18-deep',
    make: () => createModel('resnet18', { classes: 6, stem: 'deep' }),
    python: "timm.create_model('resnet18d', num_classes=6, zero_init_last=False)",
    module: 'timm',
    size: [64, 65],
  },
  {
    name: 'resnet50-deep',
    make: () => createModel('resnet50', { classes: 3, stem: 'deep', channels: 1 }),
    python: "timm.create_model('resnet50d', num_classes=3, in_chans=1, zero_init_last=False)",
    module: 'timm',
    size: [64, 64],
    channels: 1,
  },
  {
    name: 'vit-tiny',
    make: () => createModel('vit-tiny', { classes: 1000 }),
    python: "timm.create_model('vit_tiny_patch16_224')",
    module: 'timm',
    size: [224, 224],
  },
  {
    name: 'vit-small',
    make: () => createModel('vit_small', { classes: 6, size: [64, 96], patch: 8, depth: 5, dropPath: 0.1 }),
    python:
      "timm.create_model('vit_small_patch16_224', num_classes=6, img_size=(64, 96), patch_size=8, depth=5, drop_path_rate=0.1)",
    module: 'timm',
    size: [64, 96],
  },
  {
    name: 'vit-grey',
    make: () =>
      createModel('vit-tiny', {
        classes: 4,
        channels: 1,
        size: [28, 28],
        patch: 7,
        width: 128,
        depth: 2,
        dropout: 0.2,
      }),
    python:
      "timm.create_model('vit_tiny_patch16_224', num_classes=4, in_chans=1, img_size=28, patch_size=7, embed_dim=128, num_heads=2, depth=2, drop_rate=0.2)",
    module: 'timm',
    size: [28, 28],
    channels: 1,
  },
  {
    name: 'convnext-atto',
    make: () => createModel('convnext-atto', { classes: 1000, dropPath: 0.2 }),
    python: "timm.create_model('convnext_atto', drop_path_rate=0.2)",
    module: 'timm',
    size: [64, 64],
  },
  {
    name: 'convnext-pico',
    make: () => createModel('convnext-pico', { classes: 5, dropout: 0.1 }),
    python: "timm.create_model('convnext_pico', num_classes=5, drop_rate=0.1)",
    module: 'timm',
    size: [64, 32],
  },
  {
    name: 'convnext-tiny',
    make: () => createModel('convnext-tiny', { classes: 1000 }),
    python: "timm.create_model('convnext_tiny')",
    module: 'timm',
    size: [64, 64],
  },
];
