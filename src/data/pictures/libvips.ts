/** libvips, through sharp, set up for pictures that are read once each and side by side: with no store of its own, one thread for each. */
import sharp from 'sharp';

sharp.cache(false);
sharp.concurrency(1);

export default sharp;
