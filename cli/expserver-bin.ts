#!/usr/bin/env node

// The finished server comes out of the course's later stages.
process.stderr.write(
  "This version of expserver-course has the stages of phase 0 only and no finished server yet; run a program of your workspace instead: npx expserver-course run <program>\n",
);
process.exit(2);
