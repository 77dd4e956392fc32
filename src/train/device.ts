/** Which device to compute on. */
import { torch } from '../torch/index.js';
import { RunError } from './errors.js';

export interface DeviceChoice {
  readonly device: string;
  /** In the seed text's words. */
  readonly message: string;
}

/**
 * The best device there is: CUDA, then Apple's GPU, then the CPU; or the one asked for.
 * @throws RunError when the one asked for is not there
 */
export function pickDevice(wanted = 'auto'): DeviceChoice {
  const messages = {
    cuda: 'CUDA backend available.',
    mps: 'Arm mac GPU available, using GPU.',
    cpu: 'GPU not available, using CPU',
  };
  if (wanted === 'auto') {
    const device = torch.bestDevice();
    return { device, message: messages[device] };
  }
  const [type = 'cpu'] = wanted.split(':');
  if ((type === 'cuda' || type === 'mps') && !torch[type].isAvailable())
    throw new RunError(
      `device: ${wanted} was asked for, but this engine sees no ${type === 'cuda' ? 'CUDA device' : 'Apple GPU'}; use cpu, or see praxis doctor.`,
    );
  return { device: wanted, message: type === 'cpu' ? 'Using CPU, as asked.' : messages[type as 'cuda' | 'mps'] };
}
