import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

/**
 * node src/reloader.js --watch FOLDER [--watch FOLDER…] PROGRAM: runs the program, and again after every
 * save below the folders. For development; `node --watch` of Node 18 follows the files themselves and
 * hears nothing more of one that was saved by a rename (vim, JetBrains, sed -i, git checkout).
 *
 * A program that cannot be loaded shows its error and is run again after the next save. One that was
 * loaded (it has sent any message) and ends by itself ends this process too, with its code: then it is
 * for the container's restart policy.
 */
const POLL_MS = 250;
const STOP_MS = 3000;
const { values, positionals } = parseArgs({
  options: { watch: { type: 'string', multiple: true, default: [] } },
  allowPositionals: true,
});

/** What the folders hold now, as a text that changes with every save. */
async function readFolders() {
  const folders = await Promise.all(values.watch.map(readFolder));
  return folders.flat().join('\n');
}

async function readFolder(folder) {
  // Between the two steps of a save a file, and even the folder, may be missing.
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return Promise.all(names.sort().map((name) => describeFile(join(folder, name))));
}

async function describeFile(path) {
  const facts = await stat(path).catch(() => null);
  if (facts?.isDirectory()) return path;
  return `${path} ${facts && [facts.ino, facts.size, facts.mtimeMs, facts.ctimeMs].join(' ')}`;
}

/** The program as it is now; `ended` settles with its exit code. */
function run() {
  const child = spawn(process.execPath, positionals, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  const program = { child, isLoaded: false, isStopped: false };
  child.once('message', () => (program.isLoaded = true));
  program.ended = new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  program.ended.then((code) => {
    if (!program.isStopped && program.isLoaded) process.exit(code);
  });
  return program;
}

async function stop(program) {
  program.isStopped = true;
  program.child.kill('SIGTERM');
  const timer = setTimeout(() => program.child.kill('SIGKILL'), STOP_MS);
  const code = await program.ended;
  clearTimeout(timer);
  return code;
}

/** Wait for a save, and until nothing more is written. @returns {Promise<string>} what the folders hold */
async function awaitSave(before) {
  for (let last = before; ;) {
    await sleep(POLL_MS);
    const now = await readFolders();
    if (now !== before && now === last) return now;
    last = now;
  }
}

let folders = await readFolders();
let program = run();
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => stop(program).then((code) => process.exit(code)));
}
for (;;) {
  folders = await awaitSave(folders);
  console.log(
    JSON.stringify({ level: 'info', time: new Date().toISOString(), msg: 'saved, starting again' }),
  );
  await stop(program);
  program = run();
}
