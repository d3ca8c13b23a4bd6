import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { cleanFilename, detectImage } from '../src/media.js';
import { makePhoto } from './stand.js';

function inPieces(bytes, size) {
  const count = Math.ceil(bytes.length / size);
  return Readable.from(Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size)));
}

for (const pieceBytes of [1, 1000, 4100, 65_536]) {
  test(`a photo in pieces of ${pieceBytes} bytes is recognised and comes out whole`, async () => {
    const photo = makePhoto(9000);
    const { contentType, source } = await detectImage(inPieces(photo, pieceBytes));
    assert.equal(contentType, 'image/png');
    assert.deepEqual(await buffer(source), photo);
  });
}

for (const [name, bytes] of [
  ['text', Buffer.from('not a photo')],
  ['nothing', Buffer.alloc(0)],
  [
    'a script that calls itself a picture',
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
  ],
  ['a PDF', Buffer.from('%PDF-1.7\n')],
]) {
  test(`${name} is refused with 415`, async () => {
    await assert.rejects(detectImage(Readable.from([bytes])), { name: 'Problem', status: 415 });
  });
}

test('a file name loses control and direction marks and ends after 200 characters', () => {
  assert.equal(cleanFilename('a\u0000b\r\n\u202ecd.png'), 'abcd.png');
  assert.equal(cleanFilename('🏂'.repeat(300)), '🏂'.repeat(200));
  assert.equal(cleanFilename('\n'), 'unnamed');
});
