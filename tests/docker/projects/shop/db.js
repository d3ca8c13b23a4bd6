// A database that keeps the password of its first start in its volume, as the official images do.
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const net = require('node:net');

const ask = (host, password, tell) => {
  let answer = '';
  const socket = net.connect(5432, host, () => socket.end(password));
  socket.on('data', (data) => (answer += data)).on('end', () => tell(answer));
  socket.on('error', (error) => tell(String(error)));
};

if (process.argv[2] === 'check') {
  ask('127.0.0.1', process.env.DB_PASSWORD, (answer) => {
    console.log(answer);
    process.exit(answer === 'ok' ? 0 : 1);
  });
} else {
  if (!existsSync('/data/password')) writeFileSync('/data/password', process.env.DB_PASSWORD);
  const right = readFileSync('/data/password', 'utf8');
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let said = '';
    const refusal = 'password authentication failed for user "shop"';
    socket.on('data', (data) => (said += data)).on('end', () => socket.end(said === right ? 'ok' : refusal));
    socket.on('error', () => {});
  });
  server.listen(5432);
}
