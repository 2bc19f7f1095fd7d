import { join } from "node:path";
import { type Check, check } from "../checks.ts";
import { content } from "./11-http-request-and-response/content.ts";
import { delivery } from "./11-http-request-and-response/delivery.ts";
import { serveFolder } from "./11-http-request-and-response/folder.ts";
import { paths } from "./11-http-request-and-response/paths.ts";
import { refusals } from "./11-http-request-and-response/refusals.ts";
import { expectExit, expectNoStackTrace, expectStatus, inTurnOrTogether } from "./general/endings.ts";
import { missingRoot, sparseFile } from "./general/served-files.ts";
import { announces, builds, onlySystemCalls, portTaken, usage } from "./general/start.ts";

const MiB = 1024 * 1024;

export const checks: Check[] = [
  builds("stage-11"),
  announces(),
  ...content,
  ...paths,
  ...refusals,
  ...delivery,
  check(
    "streams",
    {
      title: "Response: texts, and bodies in pieces: always whole, or else told to be broken",
      points: 2,
      after: ["builds"],
      why: "The proxy of the next stage passes on bodies whose length nobody knows before. Each way to end them has to be one that the client can tell from an accident.",
      see: ["RFC 9112 §7.1", "RFC 9112 §6.3"],
    },
    ({ probe }) => probe("streams"),
  ),
  usage([
    { args: ["eighty"], names: "eighty" },
    { args: ["8001", "8002"], names: "8002" },
    { args: ["8001", "--root"], names: "--root" },
    { args: ["8001", "--folder", "public"], names: "--folder" },
  ]),
  missingRoot(["usage"]),
  portTaken(),
  check(
    "ends-cleanly",
    {
      title: "ends with status 0 on SIGINT and SIGTERM, whatever its clients are at",
      points: 1,
      after: ["serves-files"],
      why: "Nothing of this stage may keep the program: no request that has begun, no file that is kept, no answer that nobody reads.",
      see: ["signal(7)"],
    },
    async (context) => {
      const ends = async (signal: NodeJS.Signals) => {
        const { server } = await serveFolder(context, (root) =>
          sparseFile(join(root, "large.bin"), 100 * MiB),
        );
        const silent = await context.connect(server);
        const begun = await context.connect(server);
        begun.send("GET / HTTP/1.1\r\nHost: ");
        await begun.wasRead();
        const reader = await context.connectRaw({ port: server.port });
        reader.sendSome(Buffer.from("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n"));
        await reader.receive(1, () => {});
        context.step(`sent ${signal}`);
        server.kill(signal);
        expectStatus(server, await expectExit(server, 1000, signal), [0], `after ${signal}`);
        expectNoStackTrace(server);
        for (const client of [silent, begun, reader]) client.close();
      };
      await inTurnOrTogether([() => ends("SIGINT"), () => ends("SIGTERM")]);
    },
  ),
  onlySystemCalls(),
];
