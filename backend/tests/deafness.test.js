import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { startProcess, until } from './stand.js';

const NOWHERE = { MONGO_URL: 'mongodb://127.0.0.1:1', POSE_URL: 'http://127.0.0.1:1' };

// What only a fault can do to the running process, done by a signal.
const FAULTS = {
  loop: "process.on('SIGUSR2', () => { for (;;); });",
  listener: `
    const { Server } = await import('node:http');
    const { listen } = Server.prototype;
    Server.prototype.listen = function (...options) {
      process.on('SIGUSR2', () => this.close());
      return listen.apply(this, options);
    };`,
};

for (const [name, fault, reason] of [
  ['an event loop that stands still', FAULTS.loop, /the event loop stands still/],
  ['a listener that takes nobody any more', FAULTS.listener, /its own requests are not answered/],
]) {
  test(`${name} ends the process, with the reason as its last line`, async (context) => {
    const { child, readLog } = await startProcess({ ...NOWHERE, DEAF_SECONDS: '2' }, [
      '--import',
      `data:text/javascript,${encodeURIComponent(fault)}`,
    ]);
    context.after(() => child.kill('SIGKILL'));
    await sleep(1000);
    assert.equal(child.exitCode, null);
    child.kill('SIGUSR2');
    await until(() => child.signalCode, { what: 'the end' });
    assert.equal(child.signalCode, 'SIGKILL');
    const last = JSON.parse(readLog().trim().split('\n').at(-1));
    assert.equal(last.level, 'fatal');
    assert.match(last.reason, reason);
  });
}

test('a process that answers is left alone, and so is one that nobody is to watch', async (context) => {
  const watched = await startProcess({ ...NOWHERE, DEAF_SECONDS: '4' });
  const alone = await startProcess({ ...NOWHERE, DEAF_SECONDS: '0' }, [
    '--import',
    `data:text/javascript,${encodeURIComponent(FAULTS.loop)}`,
  ]);
  for (const { child } of [watched, alone]) context.after(() => child.kill('SIGKILL'));
  alone.child.kill('SIGUSR2');
  await sleep(7000);
  const response = await fetch(`${watched.url}/live`);
  assert.deepEqual([response.status, await response.json()], [200, { status: 'alive' }]);
  assert.deepEqual([alone.child.exitCode, alone.child.signalCode], [null, null]);
});
