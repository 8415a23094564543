// As `client-load`, on the official client: official.mjs idle|echo URL COUNT SECONDS
import { io } from "socket.io-client";
import { setTimeout as sleep } from "node:timers/promises";

const [mode, url, count, seconds] = process.argv.slice(2);
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

function connect() {
  const socket = io(url, { transports: ["websocket"], forceNew: true });
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", reject);
  });
}

async function idle(connections) {
  const sockets = [await connect()];
  const before = process.memoryUsage.rss();
  for (let i = 0; i < connections; i++) sockets.push(await connect());
  const opened = cpu();
  await sleep(Number(seconds) * 1000);
  const left = sockets.filter((socket) => socket.connected).length;
  if (left !== connections + 1) throw new Error(`${left} are left`);
  const bytes = Math.max(0, process.memoryUsage.rss() - before);
  console.log(JSON.stringify({ connections, bytes, cpu_us: cpu() - opened }));
}

async function echo(window) {
  const socket = await connect();
  await socket.emitWithAck("echo", "warm");
  const before = cpu();
  const end = performance.now() + Number(seconds) * 1000;
  let operations = 0;
  const worker = async () => {
    while (performance.now() < end) {
      if ((await socket.emitWithAck("echo", "hello world")) !== "hello world") {
        throw new Error("an echo is missing");
      }
      operations += 1;
    }
  };
  await Promise.all(Array.from({ length: window }, worker));
  console.log(JSON.stringify({ operations, cpu_us: cpu() - before }));
}

await { idle, echo }[mode](Number(count));
process.exit(0);
