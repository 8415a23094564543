// What `ENGINE` asks for in CONTRACT.md, on the official implementation of Engine.IO.
import { createServer } from "node:http";
import { attach } from "engine.io";

const env = process.env;
const number = (name, fallback) => (env[name] === undefined ? fallback : Number(env[name]));

const http = createServer((_request, response) => {
  response.writeHead(404).end();
});
const engine = attach(http, {
  pingInterval: number("PING_INTERVAL", 25_000),
  pingTimeout: number("PING_TIMEOUT", 20_000),
  upgradeTimeout: number("UPGRADE_TIMEOUT", 10_000),
  maxHttpBufferSize: number("MAX_PAYLOAD", 1_000_000),
  allowEIO3: env.ALLOW_EIO3 !== undefined,
  transports: (env.TRANSPORTS ?? "polling,websocket").split(","),
});
engine.on("connection", (socket) => socket.on("data", (data) => socket.send(data)));

http.listen(number("PORT", 0), "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${http.address().port}`);
});
process.once("SIGTERM", () => {
  engine.close();
  http.close(() => process.exit(0));
});
