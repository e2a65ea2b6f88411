// Stations of 1.6 played by em-ocpp-chargepoint-simulator, driven in the same way as those of ocpp-rpc.
import simulator from "em-ocpp-chargepoint-simulator/build/src/chargepoint.js";
import { obey, tell } from "./orders.mjs";

const stations = new Map();
const CALLS = {
  Authorize: "sendAuthorize",
  BootNotification: "sendBootnotification",
  DiagnosticsStatusNotification: "sendDiagnosticsStatusNotification",
  FirmwareStatusNotification: "sendFirmwareStatusNotification",
  Heartbeat: "sendHeartbeat",
  MeterValues: "meterValues",
  SignCertificate: "sendSignCertificate",
  StartTransaction: "startTransaction",
  StatusNotification: "sendStatusNotification",
  StopTransaction: "stopTransaction",
};
// It answers these by what they ask for.
const TRIGGERS = {
  TriggerMessage: [
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "StatusNotification",
  ],
  ExtendedTriggerMessage: [
    "BootNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "SignChargePointCertificate",
    "StatusNotification",
  ],
};

function prepare(station, action, answer) {
  const client = stations.get(station);
  const reply = ({ uniqueId, payload }) => {
    tell({ station, event: "call", id: uniqueId, action, payload });
    client.sendResponse(uniqueId, answer);
  };
  const register = client[`answer${action}`].bind(client);
  if (action in TRIGGERS) TRIGGERS[action].forEach((requested) => register(requested, reply));
  else register(reply);
}

await obey({
  async connect({ options: { station, endpoint, identity, password, answers } }) {
    const url = new URL(`${endpoint}/${encodeURIComponent(identity)}`);
    Object.assign(url, { username: identity, password });
    const client = await simulator.chargepointFactory(url.href, identity);
    stations.set(station, client);
    client.onClose(() => tell({ station, event: "disconnect" }));
    Object.entries(answers ?? {}).forEach(([action, answer]) => prepare(station, action, answer));
  },
  async call({ station, action, payload }) {
    const answer = await stations.get(station)[CALLS[action]](payload);
    // Of a CALLERROR it gives the code.
    if (typeof answer === "string") throw Object.assign(new Error("refused"), { code: answer });
    return answer;
  },
  prepare: async ({ station, action, answer }) => prepare(station, action, answer),
  close: async ({ station }) => stations.get(station).close(),
});
