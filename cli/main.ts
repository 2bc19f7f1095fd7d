#!/usr/bin/env node
import { start } from "./start.ts";

// Not `exitCode`: whatever a command left open must not keep the shell waiting.
process.exit(await start(process.argv.slice(2)));
