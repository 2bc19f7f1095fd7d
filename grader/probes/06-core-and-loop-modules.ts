/** What the modules of stage 6 promise to each other, seen from inside. */
import * as core from "./06-core-and-loop-modules/core.ts";
import * as loop from "./06-core-and-loop-modules/loop.ts";
import * as surroundings from "./06-core-and-loop-modules/loop-surroundings.ts";
import * as timers from "./06-core-and-loop-modules/timers.ts";

export const probes = {
  "loop-tells": loop.tellsHandlers,
  "loop-detach": loop.detachesInBatch,
  "loop-reuse": loop.guardsReusedNumbers,
  "loop-attach": loop.attachesInBatch,
  "loop-errors": loop.keepsErrorsApart,
  "loop-again": loop.tellsAgain,
  "loop-node": surroundings.keepsNodeRunning,
  "loop-sleeps": surroundings.sleepsUntilTimers,
  "loop-scale": surroundings.findsHandlersAtOnce,
  "loop-timers": timers.runsOnLoop,
  "timers-order"() {
    timers.expiresInOrder();
    timers.keepsErrorsApart();
  },
  "timers-rearm"() {
    timers.cancels();
    timers.rearms();
  },
  "timers-many": timers.losesNone,
  "timers-cost": timers.findsNextAtOnce,
  async "core-owns"() {
    await core.destroysWhatItOwns();
    await core.destroysAfterError();
  },
  "core-signals": core.endsOnSignals,
};
