import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from './stand.js';

const RELOADER = fileURLToPath(new URL('../src/reloader.js', import.meta.url));
const PROGRAM = `
  import { version } from './deep/version.js';
  process.send?.('loaded');
  process.on('SIGTERM', () => process.exit(0));
  process.on('SIGUSR2', () => process.exit(7));
  console.log('runs ' + version);
  setInterval(() => {}, 1000);`;

/** How editors and tools write a file. */
const SAVES = {
  'in place': (file, text) => writeFile(file, text),
  async 'vim, with a backup'(file, text) {
    await rename(file, `${file}~`);
    await writeFile(file, text);
    await unlink(`${file}~`);
  },
  async 'sed -i'(file, text) {
    await writeFile(`${file}.tmp`, text);
    await rename(`${file}.tmp`, file);
  },
  async 'JetBrains, safe write'(file, text) {
    await writeFile(`${file}___jb_tmp___`, text);
    await rename(file, `${file}___jb_old___`);
    await rename(`${file}___jb_tmp___`, file);
    await unlink(`${file}___jb_old___`);
  },
  async 'git checkout'(file, text) {
    await unlink(file);
    await writeFile(file, text);
  },
};

describe('reloader', () => {
  let folder;
  let child;
  let log = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reloader-'));
    await mkdir(join(folder, 'code', 'deep'), { recursive: true });
    await writeFile(join(folder, 'code', 'package.json'), '{"type":"module"}');
    await writeFile(join(folder, 'code', 'program.js'), PROGRAM);
    await save(SAVES['in place'], 'first');
    child = spawn(process.execPath, [RELOADER, '--watch', 'code', join('code', 'program.js')], {
      cwd: folder,
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (log += data));
    await sees('runs first');
  });
  after(async () => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  const save = (how, version) =>
    how(join(folder, 'code', 'deep', 'version.js'), `export const version = '${version}';\n`);
  const sees = (text) => until(() => log.includes(text), { what: text });

  test('20 of 20 mixed saves are run', async () => {
    const ways = Object.entries(SAVES);
    for (let i = 0; i < 20; i += 1) {
      const [name, how] = ways[i % ways.length];
      await save(how, `save-${i}`);
      await sees(`runs save-${i}`).catch((error) => assert.fail(`${name}: ${error.message}`));
    }
  });

  test('a broken save is shown with its place, and the next good one mends it', async () => {
    await writeFile(join(folder, 'code', 'deep', 'version.js'), 'export const version = ;\n');
    await sees('SyntaxError');
    await sees('version.js:1');
    await save(SAVES['sed -i'], 'mended');
    await sees('runs mended');
    assert.equal(child.exitCode, null);
  });

  test('a file that is missing for a while is no end', async () => {
    await unlink(join(folder, 'code', 'deep', 'version.js'));
    await sees('ERR_MODULE_NOT_FOUND');
    await save(SAVES['in place'], 'back');
    await sees('runs back');
  });

  test('a new file counts as a save', async () => {
    log = '';
    await writeFile(join(folder, 'code', 'new.js'), '');
    await sees('runs back');
  });

  test('a loaded program that ends by itself ends the reloader with its code', async () => {
    log = '';
    await writeFile(
      join(folder, 'code', 'program.js'),
      PROGRAM.replace("'runs '", "'pid ' + process.pid + ' runs '"),
    );
    await until(() => /pid \d+ runs/.test(log));
    const ended = once(child, 'exit');
    process.kill(Number(/pid (\d+)/.exec(log)[1]), 'SIGUSR2');
    assert.deepEqual((await ended)[0], 7);
  });
});

test('SIGTERM reaches the program, and its code comes back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reloader-'));
  await writeFile(
    join(folder, 'program.mjs'),
    "process.on('SIGTERM', () => process.exit(3)); process.send('loaded'); setInterval(() => {}, 1000); console.log('runs');",
  );
  const child = spawn(process.execPath, [RELOADER, '--watch', '.', 'program.mjs'], { cwd: folder });
  await once(child.stdout, 'data');
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  assert.equal((await ended)[0], 3);
  await rm(folder, { recursive: true });
});
