/** A decoding thread. It works through a job on its own, however long the main thread is busy; no engine is loaded here. */
import { parentPort, workerData } from 'node:worker_threads';
import { Job, type JobMemory, Row } from './job.js';
import { PictureReader, type ReaderPlan } from './picture-reader.js';
import { Seats } from './seats.js';

/** What a thread is given at its start. */
export interface WorkerStart {
  readonly plan: ReaderPlan;
  readonly buffers: readonly SharedArrayBuffer[];
  readonly seats: SharedArrayBuffer;
  readonly seat: number;
}

/** What it is told. */
export interface WorkerOrder {
  readonly memory: JobMemory;
  /** A ticket that another thread drew and did not finish. */
  readonly first: number | null;
}

/** What it says. */
export type WorkerMessage =
  | { readonly kind: 'started' }
  | { readonly kind: 'batch' }
  | { readonly kind: 'bad'; readonly position: number; readonly reason: string }
  | { readonly kind: 'cacheStopped'; readonly reason: string }
  | { readonly kind: 'failed'; readonly job: number; readonly message: string }
  | { readonly kind: 'idle'; readonly job: number };

const port = parentPort;
if (port === null) throw new Error('worker.ts runs in a worker thread.');
const say = (message: WorkerMessage): void => port.postMessage(message);

const { plan, buffers, seats: seatMemory, seat } = workerData.data as WorkerStart;
const views = buffers.map((buffer) => new Uint8Array(buffer));
const seats = new Seats(seatMemory);
const bytes = plan.form.height * plan.form.width * plan.form.channels;
const reader = new PictureReader(plan);
let told = false;

async function work(job: Job, first: number | null): Promise<void> {
  for (let ticket = first ?? job.draw(); ticket !== null; ticket = job.draw()) {
    seats.take(seat, ticket);
    const batch = Math.floor(ticket / job.memory.batchSize);
    if (!job.waitForRoom(batch)) break;
    seats.begin(seat);
    const row = ticket - batch * job.memory.batchSize;
    const buffer = views[job.bufferOf(batch)] as Uint8Array;
    const position = job.positions[ticket] as number;
    const outcome = await reader.read(position, buffer.subarray(row * bytes, (row + 1) * bytes));
    if (outcome.kind !== 'bad') job.count(outcome.kind);
    else if (outcome.reason !== null) say({ kind: 'bad', position, reason: outcome.reason });
    if (reader.failure !== null && !told) {
      told = true;
      say({ kind: 'cacheStopped', reason: reader.failure });
    }
    if (job.finish(ticket, outcome.kind === 'bad' ? Row.bad : Row.good)) say({ kind: 'batch' });
    seats.take(seat, null);
  }
}

port.on('message', async ({ memory, first }: WorkerOrder) => {
  const job = new Job(memory);
  try {
    await work(job, first);
  } catch (error) {
    say({ kind: 'failed', job: memory.number, message: (error as Error).message });
  }
  seats.take(seat, null);
  say({ kind: 'idle', job: memory.number });
});
say({ kind: 'started' });
