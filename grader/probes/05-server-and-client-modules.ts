/** What the modules of stage 5 promise to each other, seen from inside. */
import * as client from "./05-server-and-client-modules/client.ts";
import * as lines from "./05-server-and-client-modules/lines.ts";
import * as server from "./05-server-and-client-modules/server.ts";
import * as socket from "./05-server-and-client-modules/socket.ts";

export const probes = {
  "listen-on": socket.listensWithoutWaiting,
  "line-reverser": lines.reversesHoweverCut,
  "write-interest": client.asksForRoom,
  "client-end": client.tellsEndOnce,
  "client-destroy": client.destroysOnce,
  "server-destroy": server.destroysWithClients,
  "no-descriptor": server.waitsForDescriptor,
  "busy-port": server.leavesNothingOfBusyPort,
};
