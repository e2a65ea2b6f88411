// Stations played by ocpp-rpc, in all versions.
import ocpp from "ocpp-rpc";
import { obey, tell } from "./orders.mjs";

const { RPCClient, NOREPLY, createRPCError } = ocpp;
const stations = new Map();

function create({ station, answers, ...options }) {
  const client = new RPCClient(options);
  const replies = new Map(Object.entries(answers ?? {}));
  const held = new Map();
  const happened = (event, more) => tell({ station, event, ...more });
  client.handle(({ messageId, method, params }) => {
    happened("call", { id: messageId, action: method, payload: params });
    const answer = replies.get(method);
    if (!answer) throw createRPCError("NotImplemented", "this station does not know that");
    if (answer.silence) return NOREPLY;
    if (answer.error) throw createRPCError(answer.error, "as it was told");
    if (answer.later) return new Promise((resolve) => held.set(method, resolve));
    return answer;
  });
  client.on("message", ({ message, outbound }) => happened(outbound ? "sent" : "message", { frame: String(message) }));
  client.on("strictValidationFailure", ({ method, error }) =>
    happened("invalid", { action: method, reason: error.message }),
  );
  client.on("open", () => happened("open", {}));
  client.on("disconnect", ({ code, reason }) => happened("disconnect", { code, reason: String(reason) }));
  stations.set(station, { client, replies, held });
}

await obey({
  async connect({ options }) {
    create(options);
    const { client } = stations.get(options.station);
    await client.connect();
    return { protocol: client.protocol };
  },
  call: ({ station, action, payload, timeout }) =>
    stations.get(station).client.call(action, payload, { callTimeoutMs: timeout }),
  raw: async ({ station, frame }) => stations.get(station).client.sendRaw(frame),
  prepare: async ({ station, action, answer }) => void stations.get(station).replies.set(action, answer),
  answer: async ({ station, action, answer }) => stations.get(station).held.get(action)(answer),
  close: ({ station }) => stations.get(station).client.close(),
});
