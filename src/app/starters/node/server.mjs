// A web server of Node's own modules. It starts again when this file is saved.
import { createServer } from 'node:http';

const server = createServer(({ url }, response) => {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`Hello from Node.js ${process.version} on ${process.arch}: you asked for ${url}\n`);
});
server.listen(3000);
