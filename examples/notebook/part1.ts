/**
 * The notebook, part one: why weights start neither as zeros nor as a constant, and what Kaiming initialisation draws instead.
 * Each cell is the text's, line by line, and prints what the text prints (random numbers apart).
 */
import { F, nn, type Tensor, torch } from 'praxis';

/** A shape as Python prints it. */
const size = (tensor: Tensor): string => `torch.Size([${tensor.shape.join(', ')}])`;

// ── Can we initialize with zeros? ──────────────────────────────────────────────────────────────────────────────────────
{
  const inputTensor = torch.tensor([1.0, 2.0, 3.0]);
  const weightsLayer1 = torch.zeros(3, 2, { requiresGrad: true });
  const weightsLayer2 = torch.zeros(2, 1, { requiresGrad: true });
  const targetTensor = torch.tensor([0.5]);

  // Let's simulate a forward pass and backpropagation
  const simpleForwardPass = (input: Tensor): Tensor => {
    const hiddenLayer = torch.matmul(input, weightsLayer1);
    const hiddenLayerActivated = F.relu(hiddenLayer);
    return torch.matmul(hiddenLayerActivated, weightsLayer2);
  };

  // Perform the forward pass
  const output = simpleForwardPass(inputTensor);

  // Compute loss (MSE)
  const loss = F.mseLoss(output, targetTensor);

  // Backpropagation
  loss.backward();

  // Print gradients to observe the effect of zero initialization
  console.log('Gradients for Layer 1 Weights:\n', weightsLayer1.grad);
  console.log('Gradients for Layer 2 Weights:\n', weightsLayer2.grad);

  // Attempt to update weights (hypothetical learning rate of 0.01)
  torch.noGrad(() => {
    for (const weights of [weightsLayer1, weightsLayer2]) {
      const gradient = weights.grad as Tensor;
      weights.sub_(gradient.mul(0.01));

      // Zero the gradients after updating
      gradient.zero_();
    }
  });

  // Print updated weights to observe the lack of effective update
  console.log('Updated Weights for Layer 1:\n', weightsLayer1);
  console.log('Updated Weights for Layer 2:\n', weightsLayer2);
}

// ── Can we initialize with a constant value? ───────────────────────────────────────────────────────────────────────────
{
  // Define the input tensor
  const inputTensor = torch.tensor([1.0, 2.0, 3.0]);

  // 3 input neurons, 2 output neurons, initialized to a constant value of 0.5
  const weightsLayer1 = torch.full([3, 2], 0.5);

  // Matrix multiply the input tensor with the weights of the first layer: both neurons give the same
  const layer1Output = torch.matmul(inputTensor, weightsLayer1);
  console.log(`Input tensor: ${inputTensor}\t Shape: ${size(inputTensor)}`);
  console.log(`Weights of the first layer: ${weightsLayer1}\t Shape: ${size(weightsLayer1)}`);
  console.log(`Output of the first layer: ${layer1Output}\t Shape: ${size(layer1Output)}`);
}

// ── What should we initialize instead? ─────────────────────────────────────────────────────────────────────────────────
{
  // Example tensor dimensions for a layer with 100 input features and 50 output features
  const kaimingTensor = torch.empty(100, 50);
  // Whatever was in that memory before: empty() does not clear it
  console.log(kaimingTensor.at(0));
  // The same numbers each time; the text's are others
  torch.manualSeed(0);
  nn.init.kaimingUniform_(kaimingTensor, { mode: 'fanIn', nonlinearity: 'relu' });
  console.log(kaimingTensor.at(0));
}
