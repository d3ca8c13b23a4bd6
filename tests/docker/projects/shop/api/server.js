const http = require('node:http');
const net = require('node:net');
const { readSettings } = require('./settings.js');

if (!process.env.DATABASE_URL) throw new Error('DATABASE_URL is required');
const { hostname, port, password } = new URL(process.env.DATABASE_URL);
readSettings();

const askDatabase = () =>
  new Promise((resolve) => {
    let answer = '';
    const socket = net.connect({ host: hostname, port, timeout: 1000 }, () => socket.end(password));
    socket.on('data', (data) => (answer += data)).on('end', () => resolve(answer));
    socket.on('timeout', () => socket.destroy(new Error(`connect ETIMEDOUT ${hostname}:${port}`)));
    socket.on('error', (error) => resolve(String(error)));
  });

const answer = async (request, response) => {
  if (request.url === '/hang') for (;;);
  const said = await askDatabase();
  response.writeHead(said === 'ok' ? 200 : 503);
  response.end(JSON.stringify(said === 'ok' ? { status: 'ok' } : { status: 'down', reason: said }));
};
http.createServer(answer).listen(8000);
