/** Unpacks under a limit on file sizes that the caller has set: archive, target. */
import { unpack } from '../../../src/data/archives/index.js';

const [archive = '', target = ''] = process.argv.slice(2);
unpack(archive, target).then(
  () => console.log('unpacked'),
  (error: Error) => console.log(`${error.name}: ${error.message}`),
);
