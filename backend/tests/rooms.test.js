import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** From the roof down: a module imports from its own room and from those below it. */
const ROOMS = [
  'src',
  'api',
  'src/http',
  'src/process',
  'src/queue',
  'src/pose',
  'src/media',
  'src/export',
  'src/store',
  'src/ground',
];
const IMPORT = /(?:from|import\(|import|new URL\()\s*'(\.{1,2}\/[^']+\.js)'/g;

async function readModules() {
  const modules = [];
  for (const folder of ['src', 'api']) {
    for (const name of await readdir(join(ROOT, folder), { recursive: true })) {
      if (name.endsWith('.js')) modules.push(join(folder, name));
    }
  }
  return modules;
}

// Types in comments count as well: who reads a module follows them.
async function readImports(module) {
  const text = await readFile(join(ROOT, module), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, path]) => relative('.', normalize(join(dirname(module), path))));
}

test('every module is in a room, and every room has some', async () => {
  const rooms = new Set((await readModules()).map(dirname));
  assert.deepEqual([...rooms].sort(), [...ROOMS].sort());
});

test('imports go down only', async () => {
  const modules = await readModules();
  const climbing = [];
  let count = 0;
  for (const module of modules) {
    for (const imported of await readImports(module)) {
      count += 1;
      assert.ok(modules.includes(imported), `${module} imports ${imported}, which is not there`);
      const isDown = ROOMS.indexOf(dirname(imported)) >= ROOMS.indexOf(dirname(module));
      if (!isDown) climbing.push(`${module} -> ${imported}`);
    }
  }
  assert.deepEqual(climbing, []);
  assert.ok(count > 100, `only ${count} imports were found`);
});
