// Stations played by ocpp-rpc, driven over standard input and output: one JSON object a line, see tests/clients/rpc.py.
import readline from "node:readline";
import ocpp from "ocpp-rpc";

const { RPCClient, NOREPLY, createRPCError } = ocpp;
const stations = new Map();
const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

function create({ station, answers, ...options }) {
  const client = new RPCClient(options);
  const replies = new Map(Object.entries(answers ?? {}));
  const happened = (event, more) => tell({ station, event, ...more });
  client.handle(({ method, params }) => {
    happened("call", { action: method, payload: params });
    const answer = replies.get(method);
    if (!answer) throw createRPCError("NotImplemented", "this station does not know that");
    if (answer.silence) return NOREPLY;
    if (answer.error) throw createRPCError(answer.error, "as it was told");
    return answer;
  });
  client.on("message", ({ message, outbound }) => happened(outbound ? "sent" : "message", { frame: String(message) }));
  client.on("strictValidationFailure", ({ method, error }) =>
    happened("invalid", { action: method, reason: error.message }),
  );
  client.on("open", () => happened("open", {}));
  client.on("disconnect", ({ code, reason }) => happened("disconnect", { code, reason: String(reason) }));
  stations.set(station, client);
}

const ORDERS = {
  async connect(order) {
    create(order.options);
    const client = stations.get(order.options.station);
    await client.connect();
    return { protocol: client.protocol };
  },
  call: ({ station, action, payload, timeout }) =>
    stations.get(station).call(action, payload, { callTimeoutMs: timeout }),
  raw: async ({ station, frame }) => stations.get(station).sendRaw(frame),
  close: async ({ station }) => (await stations.get(station).close()) ?? null,
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  ORDERS[order.order](order)
    .then((result) => tell({ id: order.id, result: result ?? null }))
    .catch((error) =>
      tell({
        id: order.id,
        error: { code: error.rpcErrorCode ?? String(error.code ?? error.name), message: error.message },
      }),
    );
}
process.exit(0);
