const MB = 1024 * 1024;

/**
 * What decoding one picture may take: beside it the API's own 100 to 200 MB and the file (32 MB) fit into
 * the container's 512 MB.
 */
export const MAX_DECODING_BYTES = 192 * MB;

const SAMPLE_BYTES = { char: 1, uchar: 1, short: 2, ushort: 2, int: 4, uint: 4, float: 4 };
const LARGEST_SAMPLE_BYTES = 16;

/**
 * Bytes a pixel that sharp 0.34 takes to make a thumbnail, from what the picture's header says. Measured
 * on random noise of 12 and 24 megapixels as growth of the process, and rounded up by a tenth or more:
 * JPEG in one scan 0.3, in several 6.3 (CMYK 8.6); PNG 1.8, interlaced 4.3 (RGBA of 16 bits 11.4);
 * WebP without loss 4.1; GIF 5.8; AVIF 22; TIFF 2.1 (RGBA of 16 bits 5.4), in strips of some rows.
 */
const BYTES_PER_PIXEL = {
  // Decoded rows are dropped as they are shrunk. Several scans need every coefficient, two bytes each.
  jpeg: ({ channels, isProgressive }) => (isProgressive ? 2 * channels + 1 : 1),
  png: (header) => sizePixel(header) * (header.isProgressive ? 1.6 : 0.8),
  webp: ({ pages = 1 }) => (pages > 1 ? 15 : 5),
  gif: () => 7,
  heif: (header) => (header.depth === 'uchar' ? 25 : 50),
  // A strip may be the whole picture.
  tiff: (header) => sizePixel(header) * 2.5,
};

/** @param {object} header  as of sharp's metadata() @returns {number} bytes */
export function estimateDecodingBytes(header) {
  const count = BYTES_PER_PIXEL[header.format];
  return count ? header.width * header.height * count(header) : Infinity;
}

/** @throws {RangeError} when the picture would take too much memory */
export function requireMemory(header) {
  const bytes = estimateDecodingBytes(header);
  if (bytes <= MAX_DECODING_BYTES) return;
  const { format, width, height } = header;
  const size = Math.ceil(bytes / MB);
  throw new RangeError(
    `a ${format} of ${width}x${height} takes ${size} MB to decode, more than ${MAX_DECODING_BYTES / MB} MB`,
  );
}

function sizePixel({ channels, depth }) {
  return channels * (SAMPLE_BYTES[depth] ?? LARGEST_SAMPLE_BYTES);
}
