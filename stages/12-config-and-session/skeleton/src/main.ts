// expserver [--check] <config.json>: serves what the configuration describes; with --check, only says whether it could.
// expserver --schema: prints the JSON Schema of configurations, by which editors complete and check them.

import { parseArgs } from "node:util";
import { formatAddress, SystemCallError } from "expserver-course/linux";
import { readConfig } from "./config/config.ts";
import { InvalidConfig } from "./config/config-error.ts";
import { jsonSchema } from "./config/schema.ts";
import { Core } from "./core/core.ts";
import { HttpServer } from "./http/http-server.ts";
import { modules } from "./modules.ts";

const usage = "usage: expserver [--check] <config.json>, or expserver --schema";

const { options, files } = readArguments();
if (options.help === true) {
  process.stdout.write(`${usage}\n`);
} else if (options.schema === true) {
  process.stdout.write(`${JSON.stringify(jsonSchema(modules), null, 2)}\n`);
} else if (files.length === 1) {
  await serve(files[0]!, options.check === true);
} else {
  refuse(files.length === 0 ? "the configuration to serve is missing" : `"${files[1]}" is one file too many`);
}

/** @param isTrial make everything ready, and serve nothing */
async function serve(file: string, isTrial: boolean): Promise<void> {
  // TODO 10: make the server ready (it is the core's). A trial ends here, with a word and status 0. Else listen, say where, and run. A
  // configuration or a system call that fails ends the program with status 1 and what it has to say.
  const core = new Core();
  todo(
    `10: ${isTrial} ${file} by ${[readConfig, HttpServer, InvalidConfig, SystemCallError, formatAddress].map(({ name }) => name)}, ${modules.length} modules, ${core}`,
  );
}

function readArguments() {
  const flag = { type: "boolean" } as const;
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { check: flag, schema: flag, help: { ...flag, short: "h" } },
    });
    return { options: values, files: positionals };
  } catch (error) {
    return refuse((error as Error).message.split(". ")[0]!);
  }
}

function refuse(problem: string): never {
  fail(2, `expserver: ${problem}; ${usage}`);
}

/** Ends the program with a sentence about the reason: status 1 for a start that fails, 2 for wrong arguments. */
function fail(status: number, sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(status);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
