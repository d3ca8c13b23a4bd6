import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

createServer(async (_, response) => response.end(await readFile("/srv/pages/index.html"))).listen(8000);
