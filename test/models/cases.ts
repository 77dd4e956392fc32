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
];
