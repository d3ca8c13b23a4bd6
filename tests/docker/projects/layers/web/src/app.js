import { createServer } from "node:http";

createServer((_, response) => response.end("hello\n")).listen(8000);
