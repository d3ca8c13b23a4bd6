const http = require('node:http');
const { writeFileSync } = require('node:fs');

writeFileSync('/uploads/started', new Date().toISOString());
const answer = async (request, response) => {
  try {
    const said = await (await fetch(`${process.env.API_URL}/health`)).text();
    response.end(`<h1>shop</h1>${said}`);
  } catch (error) {
    response.writeHead(502).end(`the API cannot be reached: ${error.cause ?? error}`);
  }
};
http.createServer(answer).listen(8080, process.env.LISTEN);
