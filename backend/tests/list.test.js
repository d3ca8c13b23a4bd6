import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { analyse, makeClip, sendJson, startWorkingStand, uniquePhoto, WITH_MONGO } from './stand.js';

describe('list', WITH_MONGO, () => {
  let stand;
  before(async () => {
    stand = await startWorkingStand();
    await analyse(stand.url, { photo: uniquePhoto(5000), filename: 'Zermatt 10.png' });
    await analyse(stand.url, { photo: uniquePhoto(3000), filename: 'zermatt 9.png' });
    await analyse(stand.url, { photo: makeClip(4000), filename: 'a (b).mp4' });
    stand.pose.answer = (_request, response) => sendJson(response, 422, { detail: 'no' });
    await analyse(stand.url, { photo: uniquePhoto(9000), filename: 'broken.png' });
  });
  after(() => stand.drop());

  const ask = (query) => fetch(`${stand.url}/api/analyses?${new URLSearchParams(query)}`);
  const namesOf = async (query) => (await (await ask(query)).json()).items.map(({ name }) => name);
  const NEWEST = ['broken.png', 'a (b).mp4', 'zermatt 9.png', 'Zermatt 10.png'];

  for (const [what, query, expected] of [
    ['newest first', {}, NEWEST],
    ['oldest first', { sort: 'createdAt' }, [...NEWEST].reverse()],
    [
      'by name as people sort',
      { sort: 'name' },
      ['a (b).mp4', 'broken.png', 'zermatt 9.png', 'Zermatt 10.png'],
    ],
    ['largest first', { sort: '-bytes' }, ['broken.png', 'Zermatt 10.png', 'a (b).mp4', 'zermatt 9.png']],
    ['clips', { kind: 'clip' }, ['a (b).mp4']],
    ['failed', { status: 'failed' }, ['broken.png']],
    ['done photos', { status: 'done', kind: 'photo' }, ['zermatt 9.png', 'Zermatt 10.png']],
    ['several states', { status: 'failed,done' }, NEWEST],
    ['text, whatever the case', { q: 'ZERM' }, ['zermatt 9.png', 'Zermatt 10.png']],
    ['text that means something else in patterns', { q: '(b).' }, ['a (b).mp4']],
    ['text that nothing holds', { q: '.*' }, []],
  ]) {
    test(what, async () => assert.deepEqual(await namesOf(query), expected));
  }

  for (const sort of ['-createdAt', 'createdAt', 'name', '-name', 'bytes', '-bytes']) {
    test(`pages of one by ${sort} are the whole list`, async () => {
      const found = [];
      for (let next = `/api/analyses?limit=1&sort=${sort}&q=.`; next;) {
        const page = await (await fetch(`${stand.url}${next}`)).json();
        assert.equal(page.total, 4);
        found.push(...page.items.map(({ name }) => name));
        next = page.next;
      }
      assert.deepEqual(found, await namesOf({ sort }));
    });
  }

  test('an item is small, and before=ID still begins behind an analysis', async () => {
    const { items } = await (await ask({})).json();
    assert.deepEqual([items[1].pose, items[1].summary, items[1].people], [undefined, undefined, 1]);
    assert.deepEqual(await namesOf({ before: items[1].id }), NEWEST.slice(2));
  });

  for (const query of [
    'limit=0',
    'limit=101',
    'limit=x',
    'limit=1&limit=2',
    'before=me',
    'before[a]=1&before=2',
    'before=ffffffffffffffffffffffff&sort=name',
    'after=x',
    'after=WyJ4IiwxXQ',
    'sort=color',
    'sort=name&sort=name',
    'status=new',
    'status=,',
    'kind=gif',
    'q=a&q=b',
    `q=${'x'.repeat(201)}`,
  ]) {
    test(`${query.slice(0, 60)} is 400`, async () => {
      const response = await fetch(`${stand.url}/api/analyses?${query}`);
      assert.equal(response.status, 400);
      assert.match(response.headers.get('Content-Type'), /problem\+json/);
    });
  }
});
