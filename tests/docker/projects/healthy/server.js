// Answers each kind of question that verify can ask.
const http = require("node:http");

const credentials = `Basic ${btoa("user:secret")}`;

const answers = {
  "/": () => [200, "hello"],
  "/status": () => [200, JSON.stringify({ queue: { jobs: [{ name: "first" }, { name: "second" }] } })],
  "/private": (request) => [request.headers.authorization === credentials ? 200 : 401, ""],
  "/upload": (_, body) => [200, JSON.stringify({ field: /name="(\w+)"; filename=/.exec(body)?.[1] })],
  "/broken": () => [500, "the disk is full"],
  "/hang": () => null,
};

http
  .createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const answer = (answers[request.url] ?? (() => [404, "no such page"]))(request, body);
    if (answer === null) return;
    response.writeHead(answer[0]).end(answer[1]);
  })
  .listen(8000);
