/** Downloads under a limit on file sizes that the caller has set: url, MD5, target. */
import { download } from '../../../src/data/known/index.js';

const [url = '', md5 = '', target = ''] = process.argv.slice(2);
download({ urls: [url], md5 }, target, { wait: 1 }).then(
  () => console.log('downloaded'),
  (error: Error) => console.log(`${error.name}: ${error.message}`),
);
