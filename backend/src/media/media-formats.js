/**
 * The formats that are accepted, told by their first bytes. No library: what parses every format that
 * there is can be made to loop or to throw by formats that nobody wants here (CVE-2026-31808).
 *
 * A format to add: a row in FORMATS (or a brand in BRANDS), once the pose-service reads it; `needsCopy`
 * where most browsers cannot show it.
 */
const text = (string) => Buffer.from(string, 'latin1');
const hex = (string) => Buffer.from(string, 'hex');
const has = (head, offset, bytes) => head.subarray(offset, offset + bytes.length).equals(bytes);
const startsWith =
  (...signatures) =>
  (head) =>
    signatures.some((signature) => has(head, 0, signature));

const PNG = Buffer.concat([hex('89504e470d0a1a0a0000000d'), text('IHDR')]);
// Two letters begin many texts: the size of the header behind them has few values.
const BMP_HEADER_BYTES = new Set([12, 16, 40, 52, 56, 64, 108, 124]);
// The first atom of QuickTime files from before there were brands.
const OLD_QUICKTIME = ['moov', 'mdat', 'wide', 'free', 'skip'].map(text);
// EBML, and its DocType with its length in one to eight bytes.
const WEBM_DOCTYPE = /\x42\x82[^w]{1,8}webm/;
const EBML_HEADER_BYTES = 100;

/** No file of any format is shorter: the smallest GIF that shows a pixel. */
const SHORTEST_BYTES = 26;

const FORMATS = [
  { name: 'JPEG', kind: 'photo', contentType: 'image/jpeg', matches: startsWith(hex('ffd8ff')) },
  { name: 'PNG', kind: 'photo', contentType: 'image/png', matches: startsWith(PNG) },
  {
    name: 'GIF',
    kind: 'photo',
    contentType: 'image/gif',
    matches: startsWith(text('GIF87a'), text('GIF89a')),
  },
  { name: 'WebP', kind: 'photo', contentType: 'image/webp', matches: isWebP },
  { name: 'AVIF', kind: 'photo', contentType: 'image/avif', matches: (head) => readBrand(head) === 'AVIF' },
  {
    name: 'HEIC',
    kind: 'photo',
    contentType: 'image/heic',
    needsCopy: true,
    matches: (head) => readBrand(head) === 'HEIC',
  },
  { name: 'BMP', kind: 'photo', contentType: 'image/bmp', matches: isBmp },
  {
    name: 'TIFF',
    kind: 'photo',
    contentType: 'image/tiff',
    needsCopy: true,
    matches: startsWith(hex('49492a00'), hex('4d4d002a')),
  },
  { name: 'MP4', kind: 'clip', contentType: 'video/mp4', matches: (head) => readBrand(head) === 'MP4' },
  { name: 'MOV', kind: 'clip', contentType: 'video/quicktime', matches: isQuickTime },
  { name: 'WebM', kind: 'clip', contentType: 'video/webm', matches: isWebM },
];

/** Brands of an ISO media file -> its format; those that are in no row above are named when refused. */
const BRANDS = new Map([
  ...names('AVIF', ['avif', 'avis']),
  ...names('HEIC', ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx']),
  ...names('MP4', ['isom', 'mp41', 'mp42', 'avc1', 'mmp4', 'dash', 'MSNV', 'XAVC']),
  ...names('MP4', ['iso2', 'iso3', 'iso4', 'iso5', 'iso6', 'iso7', 'iso8', 'iso9']),
  ...names('MP4', ['M4V ', 'M4VH', 'M4VP']),
  ...names('MOV', ['qt  ']),
  ...names('MPEG-4 audio', ['M4A ', 'M4B ', 'M4P ', 'F4A ', 'F4B ']),
  ...names('Canon raw', ['crx ']),
  ...names('JPEG 2000', ['jp2 ', 'jpx ', 'jpm ', 'mjp2']),
  ...names('3GP', ['3gp4', '3gp5', '3gp6', '3gp7', '3g2a', '3g2b', '3g2c']),
]);

/** How many bytes from the beginning `findFormat` wants to see. */
export const HEAD_BYTES = 4100;

/**
 * @param {Buffer} head  the first HEAD_BYTES of a file, or all of it
 * @returns {{name: string, kind: 'photo' | 'clip', contentType: string, needsCopy: boolean} | null}
 */
export function findFormat(head) {
  if (head.length < SHORTEST_BYTES) return null;
  const found = FORMATS.find(({ matches }) => matches(head));
  if (!found) return null;
  const { name, kind, contentType, needsCopy = false } = found;
  return { name, kind, contentType, needsCopy };
}

/** What a refused file holds, where that can be told. @returns {string | null} */
export function nameRefused(head) {
  return readBrand(head);
}

/** The names of the formats of a kind, for a sentence. */
export function listFormats(kind) {
  const all = FORMATS.filter((format) => format.kind === kind).map(({ name }) => name);
  return `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
}

/** What media are kept and served as. */
export const MEDIA_TYPES = FORMATS.map(({ contentType }) => contentType);

function names(format, brands) {
  return brands.map((brand) => [brand, format]);
}

/** The format of the first known brand: the major one, or one that the file says it is compatible with. */
function readBrand(head) {
  if (head.length < 16 || !has(head, 4, text('ftyp'))) return null;
  const end = Math.min(head.readUInt32BE(0), head.length);
  const brands = [8];
  for (let offset = 16; offset + 4 <= end; offset += 4) brands.push(offset);
  const known = brands.map((offset) => head.toString('latin1', offset, offset + 4));
  return BRANDS.get(known.find((brand) => BRANDS.has(brand))) ?? null;
}

function isWebP(head) {
  return has(head, 0, text('RIFF')) && has(head, 8, text('WEBPVP8'));
}

function isBmp(head) {
  return has(head, 0, text('BM')) && BMP_HEADER_BYTES.has(head.readUInt32LE(14));
}

function isQuickTime(head) {
  return readBrand(head) === 'MOV' || OLD_QUICKTIME.some((atom) => has(head, 4, atom));
}

function isWebM(head) {
  const header = head.toString('latin1', 0, EBML_HEADER_BYTES);
  return has(head, 0, hex('1a45dfa3')) && WEBM_DOCTYPE.test(header);
}
