// node receiver.mjs 8080: takes genuine deliveries, each event once; needs JETWAY_WEBHOOK_SECRET.
import { createServer } from "node:http";
import { verified } from "./verify.mjs";

const secret = process.env.JETWAY_WEBHOOK_SECRET;
const seen = new Set(); // In earnest a table with a unique key: what is acknowledged must outlive this process.

createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  const event = verified(secret, request.headers, body);
  response.writeHead(event ? 204 : 401).end(); // At once; the work comes afterwards.
  if (!event || seen.has(event.id)) return;
  seen.add(event.id);
  console.log(event.type, event.sequence, JSON.stringify(event.data));
}).listen(Number(process.argv[2]), "127.0.0.1");
