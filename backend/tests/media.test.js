import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { cleanName, detectMedia } from '../src/media/media.js';
import { makeClip, makePhoto } from './stand.js';

function inPieces(bytes, size) {
  const count = Math.ceil(bytes.length / size);
  return Readable.from(Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size)));
}

for (const pieceBytes of [1, 1000, 4100, 65_536]) {
  test(`a photo in pieces of ${pieceBytes} bytes is recognised and comes out whole`, async () => {
    const photo = makePhoto(9000);
    const { contentType, source } = await detectMedia(inPieces(photo, pieceBytes));
    assert.equal(contentType, 'image/png');
    assert.deepEqual(await buffer(source), photo);
  });
}

const WEBM = Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104', 'hex');
for (const [name, bytes, contentType] of [
  ['MP4', makeClip(), 'video/mp4'],
  ['MOV', makeClip(64, 'qt  '), 'video/quicktime'],
  ['M4V', makeClip(64, 'M4V '), 'video/mp4'],
  ['WebM', WEBM, 'video/webm'],
]) {
  test(`${name} is a clip`, async () => {
    const found = await detectMedia(Readable.from([bytes]));
    assert.deepEqual([found.kind, found.contentType], ['clip', contentType]);
  });
}

for (const [name, bytes] of [
  ['JPEG 2000, which the pose-service does not read', makeClip(64, 'jp2 ')],
  ['an MP3', Buffer.concat([Buffer.from('ID3\u0003\0\0\0\0\0\0', 'latin1'), Buffer.alloc(20)])],
  ['text', Buffer.from('not a photo')],
  ['nothing', Buffer.alloc(0)],
  [
    'a script that calls itself a picture',
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
  ],
  ['a PDF', Buffer.from('%PDF-1.7\n')],
]) {
  test(`${name} is refused with 415`, async () => {
    await assert.rejects(detectMedia(Readable.from([bytes])), { name: 'Problem', status: 415 });
  });
}

test('a file name loses control and direction marks and ends after 200 characters', () => {
  assert.equal(cleanName('a\u0000b\r\n\u202ecd.png'), 'abcd.png');
  assert.equal(cleanName('🏂'.repeat(300)), '🏂'.repeat(200));
  assert.equal(cleanName('\n'), '');
});

test('a name of characters that nobody sees is none, and inside of one they stay', () => {
  for (const name of ['\u200b\u2060', '\u3164', '\u00ad \u00a0', '\u{e0041}'])
    assert.equal(cleanName(name), '');
  assert.equal(cleanName('👨\u200d👩\u200d👧'), '👨\u200d👩\u200d👧');
});
