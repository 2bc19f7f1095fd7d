#!/usr/bin/env node
import { platformProblem, thisMachine } from "./platform.ts";

// The finished server. Its own arguments are read by its own main.ts, as in a learner's workspace.
const problem = platformProblem(thisMachine);
if (problem === undefined) {
  // Loaded only now: on the wrong system even the import could fail. The build puts it there.
  await import(new URL("../expserver/main.js", import.meta.url).href);
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 2;
}
