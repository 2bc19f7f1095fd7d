#!/usr/bin/env node
import { start } from "./start.ts";

// `grade …` is `expserver-course grade …`.
process.exit(await start(["grade", ...process.argv.slice(2)]));
