// How Python drives a client that runs in Node: one JSON object a line, orders in, results and happenings out; see rpc.py.
import readline from "node:readline";

export const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

export async function obey(orders) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    orders[order.order](order)
      .then((result) => tell({ id: order.id, result: result ?? null }))
      .catch((error) => {
        const code = error.rpcErrorCode ?? String(error.code ?? error.name);
        tell({ id: order.id, error: { code, message: error.message ?? String(error) } });
      });
  }
  process.exit(0);
}
