import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { estimateDecodingBytes, MAX_DECODING_BYTES } from '../src/media/picture-memory.js';
import { shrink, Thumbnails } from '../src/media/thumbnails.js';

const run = promisify(execFile);
const MB = 1024 * 1024;
const create = (width, height) =>
  sharp({ create: { width, height, channels: 3, background: '#4a8' }, limitInputPixels: false });
const header = (fields) => ({ width: 7000, height: 7000, channels: 3, depth: 'uchar', ...fields });

for (const [name, fields, isDecoded] of [
  ['a baseline JPEG of 49 megapixels', { format: 'jpeg', isProgressive: false }, true],
  ['a progressive one', { format: 'jpeg', isProgressive: true }, false],
  ['a progressive one of 24', { format: 'jpeg', isProgressive: true, width: 6000, height: 4000 }, true],
  ['a progressive CMYK of 24', { format: 'jpeg', isProgressive: true, channels: 4, height: 3430 }, false],
  ['a PNG of 49', { format: 'png' }, true],
  ['an interlaced PNG of 49', { format: 'png', isProgressive: true }, false],
  ['an AVIF of 12', { format: 'heif', width: 4000, height: 3000 }, false],
  ['an AVIF of 5', { format: 'heif', width: 2500, height: 2000 }, true],
  ['a TIFF of doubles', { format: 'tiff', depth: 'double', width: 3000, height: 3000 }, false],
  ['what sharp calls otherwise', { format: 'svg', width: 1, height: 1 }, false],
]) {
  test(`${name} is ${isDecoded ? 'decoded' : 'left without a thumbnail'}`, () => {
    assert.equal(estimateDecodingBytes(header(fields)) <= MAX_DECODING_BYTES, isDecoded);
  });
}

for (const [format, options] of [
  ['jpeg', { progressive: true, chromaSubsampling: '4:4:4' }],
  ['png', { progressive: true }],
  ['webp', { lossless: true }],
  ['avif', { effort: 0 }],
  ['gif', {}],
  ['tiff', { compression: 'deflate' }],
]) {
  test(`the thumbnail of a ${format} is upright, small WebP`, async () => {
    const picture = await create(900, 600)
      .withMetadata({ orientation: 6 })
      .toFormat(format, options)
      .toBuffer();
    const { format: kind, width, height } = await sharp(await shrink(picture)).metadata();
    assert.equal(kind, 'webp');
    assert.equal(Math.max(width, height), 320);
  });
}

test('one is decoded at a time, and one that fails does not hold up the next', async () => {
  let open = 0;
  const thumbnails = new Thumbnails({ thumbnails: { replaceOne: async () => {} } });
  const picture = await create(40, 40).png().toBuffer();
  const read = async (bytes) => {
    open += 1;
    assert.equal(open, 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    open -= 1;
    return bytes;
  };
  const outcomes = await Promise.allSettled(
    [picture, Buffer.from('no picture'), picture].map((bytes, id) => thumbnails.make(id, () => read(bytes))),
  );
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test('two progressive JPEGs of 49 megapixels leave a process below 300 MB', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'thumbnails-'));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'large.jpg');
  await writeFile(file, await create(7000, 7000).jpeg({ progressive: true }).toBuffer());
  const program = `
    import { readFile } from 'node:fs/promises';
    import { Thumbnails } from '${new URL('../src/media/thumbnails.js', import.meta.url)}';
    const thumbnails = new Thumbnails({ thumbnails: { replaceOne: async () => {} } });
    const read = () => readFile(${JSON.stringify(file)});
    await Promise.allSettled([thumbnails.make(1, read), thumbnails.make(2, read)]);
    console.log(process.resourceUsage().maxRSS / 1024);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  assert.ok(Number(stdout) > 30 && Number(stdout) < 300, `${stdout} MB`);
  assert.ok(MAX_DECODING_BYTES < 200 * MB);
});
