/** Pretrained weights without anybody else's program: where they come from, whose names they have, what they are fitted to. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { CifarResNet, createModel, nn, ResNet, type Tensor, torch, VisionTransformer } from '../../../src/index.js';
import {
  adaptChannels,
  createPretrained,
  findWeights,
  openWeights,
  resizePositions,
} from '../../../src/models/index.js';
import { serve } from '../../data/known/server.js';

let root: string;
let folder: string;
before(() => {
  root = mkdtempSync(path.join(tmpdir(), 'praxis-weights-'));
});
after(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  folder = mkdtempSync(path.join(root, 'one-'));
});

const small = (): CifarResNet => new CifarResNet({ depth: 8, width: 4, classes: 3 });
const input = (channels = 3, height = 16, width = 16): Tensor => {
  torch.manualSeed(5);
  return torch.rand(2, channels, height, width);
};
const logits = (net: nn.Module, x: Tensor): Tensor => torch.noGrad(() => net.eval().forward(x)) as Tensor;
const near = (a: Tensor, b: Tensor, most = 1e-6): void => {
  assert.deepEqual(a.shape, b.shape);
  assert.ok((a.sub(b).abs().max().item() as number) <= most);
};

async function bytesOf(net: nn.Module): Promise<Buffer> {
  const file = path.join(folder, 'of.safetensors');
  await torch.save(net.stateDict(), file);
  const bytes = readFileSync(file);
  rmSync(file);
  return bytes;
}

describe('whose names they have', () => {
  test('a CIFAR ResNet out of a training program, wrapped for parallel work', async () => {
    const net = small();
    const state = Object.fromEntries(Object.entries(net.stateDict()).map(([name, value]) => [`module.${name}`, value]));
    const file = path.join(folder, 'net.pth');
    await torch.save({ epoch: 7, best_prec1: 91.2, state_dict: state }, file);
    const weights = await openWeights(file);
    assert.equal(weights.model, 'resnet20');
    assert.deepEqual(weights.options, { depth: 8, width: 4 });
    assert.equal(weights.statisticsAreKnown, false);
    const made = createPretrained(weights);
    near(logits(made.model, input()), logits(net, input()));
    assert.equal(made.newHead, false);
  });

  test('the averaged weights are taken where there are some, and option B is recognised', async () => {
    const [plain, averaged] = [small(), new CifarResNet({ depth: 8, width: 4, classes: 3, option: 'B' })];
    const file = path.join(folder, 'net.pth');
    await torch.save({ state_dict: plain.stateDict(), state_dict_ema: averaged.stateDict() }, file);
    const weights = await openWeights(file);
    assert.equal(weights.options.shortcut, 'B');
    near(logits(createPretrained(weights).model, input()), logits(averaged, input()));
  });

  test("the names of ConvNeXt's authors", async () => {
    const net = createModel('convnext-tiny', { classes: 4, width: 8, blocks: [1, 1, 2, 1] });
    const renamed = Object.fromEntries(
      Object.entries(net.stateDict()).map(([name, value]) => [
        name
          .replace(/^stem\./, 'downsample_layers.0.')
          .replace(/^stages\.(\d+)\.downsample\./, 'downsample_layers.$1.')
          .replace(/^stages\.(\d+)\.blocks\.(\d+)\./, 'stages.$1.$2.')
          .replace('conv_dw', 'dwconv')
          .replace('.mlp.fc', '.pwconv')
          .replace(/^head\.fc\./, 'head.')
          .replace(/^head\.norm\./, 'norm.'),
        value,
      ]),
    );
    const file = path.join(folder, 'net.pth');
    await torch.save({ model: renamed }, file);
    const weights = await openWeights(file);
    assert.deepEqual(weights.options, { width: 8, blocks: [1, 1, 2, 1] });
    near(logits(createPretrained(weights).model, input(3, 32, 32)), logits(net, input(3, 32, 32)));
  });

  test('weights of another kind of network, and files without any, are named as such', async () => {
    const file = path.join(folder, 'net.safetensors');
    await torch.save(new nn.Linear(3, 2).stateDict(), file);
    await assert.rejects(openWeights(file), /no model that Praxis builds.*begin with/);
    const empty = path.join(folder, 'net.pt');
    await torch.save({ epoch: 3 }, empty);
    await assert.rejects(openWeights(empty), /there are no weights in it/);
    const cut = path.join(folder, 'cut.safetensors');
    writeFileSync(cut, (await bytesOf(small())).subarray(0, 500));
    await assert.rejects(openWeights(cut), /cut\.safetensors/);
  });

  test('a network that resembles one of ours is refused with the first name that does not fit', async () => {
    const state = { ...new ResNet({ classes: 2, widths: [4, 8, 16, 32] }).stateDict() };
    state['layer1.0.se.fc.weight'] = torch.zeros(3);
    const file = path.join(folder, 'se.safetensors');
    await torch.save(state, file);
    const weights = await openWeights(file);
    assert.throws(
      () => createPretrained(weights),
      /se\.safetensors: the weights do not fit.*layer1\.0\.se\.fc\.weight/,
    );
    delete state['layer1.0.se.fc.weight'];
    delete state['layer3.0.bn1.weight'];
    await torch.save(state, file);
    const lacking = await openWeights(file);
    assert.throws(() => createPretrained(lacking), /there is nothing for layer3\.0\.bn1\.weight/);
  });
});

describe('what they are fitted to', () => {
  test('another number of classes gets a new head, the body stays', async () => {
    const net = small();
    const file = path.join(folder, 'net.safetensors');
    await torch.save(net.stateDict(), file);
    const weights = await openWeights(file);
    const { model, newHead, notes } = createPretrained(weights, { classes: 5 });
    assert.equal(newHead, true);
    assert.deepEqual(notes, ['a new head for 5 classes']);
    assert.deepEqual(logits(model, input()).shape, [2, 5]);
    const theirs = net.stateDict();
    for (const [name, tensor] of Object.entries(model.stateDict()))
      if (!name.startsWith('linear.')) assert.ok(torch.equal(tensor, theirs[name] as Tensor), name);
    assert.equal(createPretrained(weights, { newHead: true }).newHead, true);
  });

  test('grey pictures: the colours of the first convolution are summed, so that a grey picture gives the same', async () => {
    const net = small();
    const file = path.join(folder, 'net.safetensors');
    await torch.save(net.stateDict(), file);
    const { model } = createPretrained(await openWeights(file), { channels: 1 });
    const grey = input(1);
    near(logits(model, grey), logits(net, grey.repeat(1, 3, 1, 1)), 1e-5);
    const spread = adaptChannels(torch.ones(2, 3, 1, 1), 5);
    assert.deepEqual(spread.shape, [2, 5, 1, 1]);
    assert.ok(Math.abs((spread.sum().item() as number) - 6) < 1e-5);
  });

  test('position embeddings for another size, interpolated as timm does it', async () => {
    const grid = torch.arange(10).float().reshape(1, 5, 2);
    const resized = resizePositions(grid, [2, 2], [3, 2]);
    assert.deepEqual(resized.shape, [1, 7, 2]);
    assert.deepEqual(resized.at(0, 0).toArray(), [0, 1]);
    // Rows of the grid lie at 2…5 and 6…9; in the middle of three lies their mean.
    near(resized.at(0, 3), torch.tensor([4, 5]), 1e-5);
    const net = new VisionTransformer({ size: [32, 32], patch: 8, width: 12, depth: 1, heads: 1, classes: 2 });
    const file = path.join(folder, 'vit.safetensors');
    await torch.save(net.stateDict(), file);
    const weights = await openWeights(file);
    const { model, notes } = createPretrained(weights, { size: [24, 40] });
    assert.deepEqual(notes, ['position embeddings were interpolated from 4 × 4 to 3 × 5']);
    assert.deepEqual(logits(model, input(3, 24, 40)).shape, [2, 2]);
  });

  test('pictures twice as large: the first convolution grows with its stride, and all others see what they are used to', async () => {
    const file = path.join(folder, 'net.safetensors');
    const repeated = (x: Tensor, times: number) => x.repeatInterleave(times, 2).repeatInterleave(times, 3);
    const nets: readonly (readonly [nn.Module, number])[] = [
      [small(), 2],
      [new ResNet({ blocks: [1, 1], widths: [4, 6], stem: 'quarter', classes: 3 }), 3],
      [new ResNet({ blocks: [1, 1], widths: [4, 6], stem: 'deep', classes: 3 }), 2],
    ];
    for (const [net, times] of nets) {
      await torch.save(net.stateDict(), file);
      const opened = await openWeights(file);
      const weights =
        net instanceof ResNet && !('conv1.0.weight' in net.stateDict())
          ? { ...opened, options: { ...opened.options, stem: 'quarter' as const } }
          : opened;
      const { model, options, notes } = createPretrained(weights, { stemScale: times, size: [16 * times, 16 * times] });
      near(logits(model, repeated(input(), times)), logits(net, input()), 1e-5);
      assert.match(
        notes.join(),
        new RegExp(`enlarged ${times} times, and its stride, .* pictures of ${16 * times} × ${16 * times} as large`),
      );
      // The options build it again, and its own weights tell what it is.
      createModel(weights.model, options).loadStateDict(model.stateDict());
      await torch.save(model.stateDict(), file);
      if (net instanceof CifarResNet)
        near(
          logits(createPretrained(await openWeights(file)).model, repeated(input(), times)),
          logits(net, input()),
          1e-5,
        );
    }
    // The colours are summed and the kernel is spread: both.
    await torch.save(small().stateDict(), file);
    const both = createPretrained(await openWeights(file), { stemScale: 2, channels: 1, size: [32, 32] });
    assert.deepEqual((both.model as CifarResNet).conv1.weight.shape, [4, 1, 6, 6]);
    assert.equal(both.notes.length, 2);
    await torch.save(
      new VisionTransformer({ size: [32, 32], patch: 8, width: 12, depth: 1, heads: 1, classes: 2 }).stateDict(),
      file,
    );
    const vision = await openWeights(file);
    assert.throws(
      () => createPretrained(vision, { stemScale: 2 }),
      /stemScale is for residual networks; vit-small has no such stem/,
    );
  });

  test('weights without a head want a number of classes', async () => {
    const state = Object.fromEntries(
      Object.entries(small().stateDict()).filter(([name]) => !name.startsWith('linear.')),
    );
    const file = path.join(folder, 'body.safetensors');
    await torch.save(state, file);
    const weights = await openWeights(file);
    assert.equal(weights.classes, 0);
    assert.throws(() => createPretrained(weights), /no head; say how many classes/);
    assert.deepEqual(logits(createPretrained(weights, { classes: 4 }).model, input()).shape, [2, 4]);
  });
});

describe('where they come from', () => {
  test('names: those of timm, of torchvision, of models', () => {
    assert.equal(findWeights('resnet18')?.name, 'resnet18.tv_in1k');
    assert.equal(findWeights('ResNet50_Weights.IMAGENET1K_V2')?.name, 'resnet50.tv2_in1k');
    assert.equal(findWeights('vit_tiny')?.statistics.mean[0], 0.5);
    assert.equal(findWeights('vit_tiny_patch16_224.augreg_in21k_ft_in1k')?.model, 'vit-tiny');
    assert.equal(findWeights('resnet20')?.side, 32);
    assert.equal(findWeights('nothing'), undefined);
  });

  test('a name that nobody knows, a file that is not there', async () => {
    await assert.rejects(openWeights('resnet81'), /no weights known as 'resnet81'; did you mean/);
    await assert.rejects(openWeights('./missing.pth'), /missing\.pth: there is no such file/);
  });

  test('a folder with weights and what timm writes beside them', async () => {
    await torch.save(small().stateDict(), path.join(folder, 'model.safetensors'));
    writeFileSync(
      path.join(folder, 'config.json'),
      JSON.stringify({
        architecture: 'x',
        pretrained_cfg: { mean: [0.1, 0.2, 0.3], std: [1, 1, 1], input_size: [3, 48, 48] },
      }),
    );
    const weights = await openWeights(folder);
    assert.deepEqual(weights.statistics, { mean: [0.1, 0.2, 0.3], std: [1, 1, 1] });
    assert.equal(weights.side, 48);
    assert.equal(weights.statisticsAreKnown, true);
    const two = path.join(folder, 'two');
    mkdirSync(two);
    await assert.rejects(openWeights(two), /there are no weights in it/);
    for (const name of ['a.pth', 'b.pth']) writeFileSync(path.join(two, name), '');
    await assert.rejects(openWeights(two), /several files of weights in it \(a\.pth, b\.pth\)/);
  });

  test('an address: downloaded once, cut or not, and kept with its checksum', async () => {
    const bytes = await bytesOf(small());
    const sum = createHash('sha256').update(bytes).digest('hex');
    const server = await serve(bytes, { cutAfter: 2000, times: 2 });
    try {
      const cache = path.join(folder, 'cache');
      const url = `${server.url}/net-${sum.slice(0, 8)}.safetensors`;
      const weights = await openWeights(url, { folder: cache, wait: 1 });
      assert.equal(weights.sha256, sum);
      assert.equal(server.requests.length, 3);
      assert.match(server.requests[2] as string, /^bytes=/);
      await openWeights(url, { folder: cache });
      assert.equal(server.requests.length, 3, 'not asked again');
      const file = path.join(cache, `net-${sum.slice(0, 8)}.safetensors`);
      assert.equal((JSON.parse(readFileSync(`${file}.json`, 'utf8')) as { sha256: string }).sha256, sum);
      const damaged = readFileSync(file);
      damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1;
      writeFileSync(file, damaged);
      await assert.rejects(openWeights(url, { folder: cache }), /is damaged or another file.*delete it/);
    } finally {
      await server.close();
    }
  });

  test('a wrong file is not taken, and what to do without a network is said', async () => {
    const server = await serve(await bytesOf(small()));
    const url = `${server.url}/net-deadbeef.safetensors`;
    try {
      await assert.rejects(openWeights(url, { folder, wait: 1 }), /SHA-256 .* instead of deadbeef….*put it here as/s);
      assert.deepEqual(readdirSync(folder), []);
    } finally {
      await server.close();
    }
    await assert.rejects(openWeights(url, { folder, wait: 1, tries: 1 }), (error: Error) => {
      assert.match(error.message, /could not be downloaded/);
      assert.ok(error.message.includes(`put it here as ${path.join(folder, 'net-deadbeef.safetensors')}`));
      return true;
    });
    await assert.rejects(
      openWeights('resnet18', { folder, offline: true }),
      /resnet18-f37072fd\.pth is not on this machine, and the network is not to be asked.*download https:/,
    );
  });

  test('the hub: its checksum, its config, its place in the cache, nothing asked twice', async () => {
    const bytes = await bytesOf(small());
    const sum = createHash('sha256').update(bytes).digest('hex');
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (request.url?.endsWith('/config.json'))
        response.end(JSON.stringify({ pretrained_cfg: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } }));
      else if (request.url?.startsWith('/somebody/net/resolve/v2/model.safetensors'))
        response.writeHead(302, { location: '/blob', 'x-linked-etag': `"${sum}"` }).end();
      else if (request.url === '/blob') response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const hub = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const weights = await openWeights('hf-hub:somebody/net@v2', { folder, hub });
      assert.equal(weights.statistics.mean[0], 0.5);
      assert.equal(weights.source, 'somebody/net');
      assert.ok(existsSync(path.join(folder, 'somebody', 'net@v2', 'model.safetensors')));
      const before = asked.length;
      await openWeights('somebody/net@v2', { folder, hub, offline: true });
      assert.equal(asked.length, before);
      await assert.rejects(openWeights('somebody/other', { folder, hub, tries: 1 }), /answers 404.*put it here as/s);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
