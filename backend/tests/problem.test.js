import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MongoBulkWriteError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { describeOutage } from '../src/store/database.js';
import { Problem, toProblem } from '../src/ground/problem.js';

test('a problem takes its title from the status', () => {
  assert.deepEqual(new Problem(422, 'truncated').toJSON(), {
    type: 'about:blank',
    title: 'Unprocessable Entity',
    status: 422,
    detail: 'truncated',
  });
});

test('an unexpected error tells nothing of the inside', () => {
  const problem = toProblem(new TypeError('secret.field is undefined'), describeOutage);
  assert.equal(problem.status, 500);
  assert.ok(!JSON.stringify(problem).includes('secret'));
});

test('a refusal of Express keeps its status', () => {
  const refusal = Object.assign(new Error('Failed to decode param'), { status: 400 });
  assert.equal(toProblem(refusal, describeOutage).status, 400);
});

for (const [name, error] of [
  ['lost connection', new MongoNetworkError('socket closed')],
  ['no server', new MongoServerSelectionError('no server', {})],
  ['a server whose disk is full', new MongoServerError({ message: 'No space left', code: 14031 })],
  ['a server that is told to stop', new MongoServerError({ message: 'shutting down', code: 91 })],
  ['reset socket', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })],
  ['socket that ended', Object.assign(new Error('This socket has been ended'), { code: 'EPIPE' })],
  ['bulk write without a server', new MongoBulkWriteError(new MongoNetworkError('connect ECONNREFUSED'), {})],
  ['wrong password', new MongoServerError({ message: 'Authentication failed.', code: 18 })],
]) {
  test(`${name} is 503 with Retry-After`, () => {
    const problem = toProblem(error, describeOutage);
    assert.equal(problem.status, 503);
    assert.ok(problem.headers['Retry-After']);
  });
}

test('a duplicate key is our fault, not the database being away', () => {
  assert.equal(
    toProblem(new MongoServerError({ message: 'E11000', code: 11000 }), describeOutage).status,
    500,
  );
  const bulk = new MongoBulkWriteError({ message: 'E11000', code: 11000 }, {});
  assert.equal(toProblem(bulk, describeOutage).status, 500);
});

test('connections that are all in use are a crowd, not the database being away', () => {
  const error = Object.assign(new Error('Timed out'), { name: 'MongoWaitQueueTimeoutError' });
  const problem = toProblem(error, describeOutage);
  assert.deepEqual([problem.status, problem.headers['Retry-After']], [503, '2']);
  assert.doesNotMatch(problem.message, /database/);
});
