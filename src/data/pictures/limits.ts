/** Pictures that claim more are refused: the limit at which Pillow refuses too (`Image.MAX_IMAGE_PIXELS` × 2). */
export const pixelLimit = 178_956_970;
