/** The garbage collector on demand. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options?: { type: 'minor' }) => void;
let collector: Collect | undefined;

/** Runs the garbage collector now; `minor` looks only at young objects (a third of a millisecond). */
export function collectGarbage(type: 'minor' | 'major' = 'major'): void {
  if (collector === undefined) {
    // The function exists only in contexts made after the flag is set; no command-line flag is needed.
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as Collect;
  }
  // Without an argument for all objects: Node 20 takes any object, `{ type: 'major' }` too, for a wish for the young ones only.
  if (type === 'minor') collector({ type });
  else collector();
}
