/** Weights as torchvision and timm write them load unchanged, and the logits are theirs. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Tensor, torch } from '../../../src/index.js';
import { createPretrained, openWeights, type PretrainedOptions } from '../../../src/models/index.js';
import { python, runPython, skipLive } from '../../support/python.js';

const script = fileURLToPath(new URL('../../../scripts/golden/pretrained.py', import.meta.url));

interface Case {
  readonly name: string;
  /** Expression that makes the network whose weights are written. */
  readonly python: string;
  /** Expression for the network that timm loads them into, where it is another. */
  readonly other?: string;
  readonly module: 'torchvision' | 'timm';
  readonly file: string;
  readonly wrap?: 'parallel' | 'model';
  readonly size: readonly [number, number];
  readonly channels?: number;
  readonly model: string;
  readonly options?: PretrainedOptions;
}

const cases: readonly Case[] = [
  {
    name: 'tv-18',
    python: 'torchvision.models.resnet18()',
    module: 'torchvision',
    file: 'a.pth',
    size: [64, 64],
    model: 'resnet18',
  },
  {
    name: 'tv-34',
    python: 'torchvision.models.resnet34(num_classes=7)',
    module: 'torchvision',
    file: 'b.pth',
    wrap: 'parallel',
    size: [64, 80],
    model: 'resnet34',
  },
  {
    name: 'tv-50',
    python: 'torchvision.models.resnet50(num_classes=9)',
    module: 'torchvision',
    file: 'c.pth',
    size: [64, 64],
    model: 'resnet50',
  },
  {
    name: 'timm-18',
    python: "timm.create_model('resnet18')",
    module: 'timm',
    file: 'd.safetensors',
    size: [96, 64],
    model: 'resnet18',
  },
  {
    name: 'timm-50',
    python: "timm.create_model('resnet50', num_classes=11)",
    module: 'timm',
    file: 'e.safetensors',
    size: [64, 64],
    model: 'resnet50',
  },
  {
    name: 'timm-18d',
    python: "timm.create_model('resnet18d', num_classes=4)",
    module: 'timm',
    file: 'n.safetensors',
    size: [64, 64],
    model: 'resnet18',
  },
  {
    name: 'timm-vit-tiny',
    python: "timm.create_model('vit_tiny_patch16_224')",
    module: 'timm',
    file: 'f.safetensors',
    size: [224, 224],
    model: 'vit-tiny',
  },
  {
    name: 'timm-vit-small',
    python: "timm.create_model('vit_small_patch16_224', num_classes=3)",
    module: 'timm',
    file: 'g.pth',
    wrap: 'model',
    size: [224, 224],
    model: 'vit-small',
  },
  {
    name: 'tv-vit',
    python:
      'torchvision.models.VisionTransformer(image_size=64, patch_size=16, num_layers=3, num_heads=3, hidden_dim=192, mlp_dim=768, num_classes=6)',
    module: 'torchvision',
    file: 'h.pth',
    size: [64, 64],
    model: 'vit-tiny',
    options: { size: [64, 64] },
  },
  {
    name: 'timm-convnext-tiny',
    python: "timm.create_model('convnext_tiny')",
    module: 'timm',
    file: 'i.safetensors',
    size: [64, 64],
    model: 'convnext-tiny',
  },
  {
    name: 'timm-convnext-atto',
    python: "timm.create_model('convnext_atto', num_classes=4)",
    module: 'timm',
    file: 'j.safetensors',
    size: [64, 64],
    model: 'convnext-atto',
  },
  {
    name: 'tv-convnext-tiny',
    python: 'torchvision.models.convnext_tiny(num_classes=8)',
    module: 'torchvision',
    file: 'k.pth',
    size: [64, 96],
    model: 'convnext-tiny',
  },
  {
    name: 'timm-vit-resized',
    python: "timm.create_model('vit_tiny_patch16_224', num_classes=5, depth=3)",
    other: "timm.create_model('vit_tiny_patch16_224', num_classes=5, depth=3, img_size=(96, 160))",
    module: 'timm',
    file: 'l.safetensors',
    size: [96, 160],
    model: 'vit-tiny',
    options: { size: [96, 160] },
  },
];

const modules: Readonly<Record<string, boolean>> = python === null ? {} : runPython<Record<string, boolean>>([script]);
const skip: string | false = skipLive || (modules.safetensors ? false : 'Python has no safetensors');

describe("torchvision's and timm's files", { skip }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-pretrained-'));
  before(() => {
    const known = cases.filter(({ module }) => modules[module]);
    runPython(
      [script, folder],
      known.map(({ channels = 3, ...one }) => ({ ...one, channels })),
    );
    torch.setNumThreads(1);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const { name, module, file, model, options } of cases)
    test(`${name} loads unchanged`, { skip: modules[module] ? false : `Python has no ${module}` }, async () => {
      const weights = await openWeights(path.join(folder, file));
      assert.equal(weights.model, model);
      const made = createPretrained(weights, options);
      assert.equal(made.newHead, false);
      const answer = (await torch.load(path.join(folder, `${name}.answer.safetensors`))) as Record<string, Tensor>;
      const net = made.model.eval();
      const logits = torch.noGrad(() => net.forward(answer.input as Tensor)) as Tensor;
      const expected = answer.logits as Tensor;
      const spread = expected.std().item() as number;
      assert.ok(spread > 1e-3, 'logits that say something');
      const off = logits.sub(expected).abs().max().item() as number;
      assert.ok(off < 1e-4, `logits are ${off} off`);
    });
});
