import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import { detectMedia } from '../src/media/media.js';
import { makeClip } from './stand.js';

const WEBM = Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d4287810442858102', 'hex');
const BMP = Buffer.concat([Buffer.from('424d46000000000000003600000028000000', 'hex'), Buffer.alloc(52)]);

async function encode(format) {
  const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: '#ba2' } });
  return picture.toFormat(format).toBuffer();
}

/** One real file of every format that is accepted. */
const FILES = new Map([
  ['image/jpeg', await encode('jpeg')],
  ['image/png', await encode('png')],
  ['image/gif', await encode('gif')],
  ['image/webp', await encode('webp')],
  ['image/avif', await encode('avif')],
  ['image/tiff', await encode('tiff')],
  // Its header is all that is read here; real ones are decoded where the pose-service is tested.
  ['image/heic', makeClip(64, 'heic')],
  ['image/bmp', BMP],
  ['video/mp4', makeClip()],
  ['video/quicktime', makeClip(64, 'qt  ')],
  ['video/webm', WEBM],
]);

/** 415 is an answer, anything else that is thrown is a 500. */
async function detect(bytes) {
  try {
    return (await detectMedia(Readable.from([bytes]))).contentType;
  } catch (error) {
    assert.equal(error.status, 415, `${bytes.toString('hex')}: ${error.stack}`);
    return 415;
  }
}

for (const [contentType, file] of FILES) {
  test(`${contentType} is recognised, and cut off anywhere it is that or 415`, async () => {
    assert.equal(await detect(file), contentType);
    for (let bytes = 0; bytes <= Math.min(file.length, 300); bytes += 1) {
      const found = await detect(file.subarray(0, bytes));
      assert.ok(found === 415 || found === contentType, `${bytes} bytes are ${found}`);
      assert.ok(bytes >= 26 || found === 415, `${bytes} bytes cannot be a file`);
    }
  });
}

// Bare headers, on which parsers of every format were seen to throw.
for (const [name, hex] of [
  ['JPEG', 'ffd8ff'],
  ['PNG', '89504e470d0a1a0a'],
  ['GIF', '474946383961'],
  ['TIFF', '49492a00'],
  ['TIFF, big-endian', '4d4d002a00000008'],
  ['BigTIFF', '49492b0008000000'],
  ['EBML', '1a45dfa3'],
  ['OggS', '4f67675300'],
  ['ID3', '494433'],
  ['ID3 with a length', '49443304000000000000'],
  ['!<arch>', '213c617263683e0a'],
  ['RIFF', '524946460000000057454250'],
  ['BMP', '424d46000000'],
  ['ftyp', '0000001866747970'],
  ['ftyp with a brand', '000000186674797069736f6d'],
  ['ZIP', '504b0304'],
  ['gzip', '1f8b08'],
  ['FLAC', '664c6143'],
  ['JPEG XL', '0000000c4a584c200d0a870a'],
]) {
  test(`the bare header of ${name} is 415`, async () => {
    assert.equal(await detect(Buffer.from(hex, 'hex')), 415);
  });
}

test('any start of a header with noise behind it is answered', async () => {
  let seed = 7;
  const noise = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % 256;
  for (const file of FILES.values()) {
    for (let round = 0; round < 200; round += 1) {
      const kept = file.subarray(0, noise() % 40);
      await detect(Buffer.concat([kept, Buffer.from(Array.from({ length: noise() }, noise))]));
    }
  }
});

test('the ASF header that loops for ever in file-type 19 is 415 at once', async () => {
  const source = `
    import('${new URL('../src/media/media.js', import.meta.url)}').then(async ({ detectMedia }) => {
      const { parentPort } = require('node:worker_threads');
      const asf = Buffer.concat([Buffer.from('3026B2758E66CF11A6D9', 'hex'), Buffer.alloc(45)]);
      const answer = await detectMedia(require('node:stream').Readable.from([asf])).catch((error) => error);
      parentPort.postMessage(answer.status);
    });`;
  // In a thread: a loop would take this test's own clock with it.
  const thread = new Worker(source, { eval: true });
  const answer = await Promise.race([once(thread, 'message'), sleep(10_000, ['no answer'], { ref: false })]);
  await thread.terminate();
  assert.deepEqual(answer, [415]);
});

for (const [name, brands, expected] of [
  ['an unknown brand that is compatible with MP4', ['ABCD', 'mp42'], 'video/mp4'],
  ['an unknown brand alone', ['ABCD', 'EFGH'], 415],
  ['AVIF under its general brand', ['mif1', 'avif'], 'image/avif'],
  ['HEIC under its general brand', ['mif1', 'heic'], 'image/heic'],
  ['a sequence in HEIC', ['msf1', 'hevc'], 'image/heic'],
  ['the general brand alone', ['mif1', 'miaf'], 415],
  ['audio', ['M4A ', 'mp42'], 415],
]) {
  test(`${name} is ${expected}`, async () => {
    const [major, compatible] = brands;
    const box = Buffer.from(`\0\0\0\u0014ftyp${major}\0\0\0\0${compatible}`, 'latin1');
    assert.equal(await detect(Buffer.concat([box, Buffer.alloc(40)])), expected);
  });
}

test('a text that begins with the letters of BMP is 415', async () => {
  assert.equal(await detect(Buffer.from('BMX is a sport with bicycles, and so on and on')), 415);
});

test('what is not taken is refused by its name', async () => {
  const refusal = detectMedia(Readable.from([makeClip(64, 'crx ')]));
  await assert.rejects(
    refusal,
    /holds Canon raw; send a photo \(JPEG, PNG, GIF, WebP, AVIF, HEIC, BMP or TIFF\)/,
  );
});
