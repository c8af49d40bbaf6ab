#!/usr/bin/env node
/** The program: arguments and environment in, exit code out. */
import { createApply } from './cli/apply.js';
import { createDemo } from './cli/demo.js';
import { processIo } from './cli/io.js';
import { createPlan } from './cli/plan.js';
import { runProgram } from './cli/program.js';
import { createExplain } from './cli/explain.js';
import { createOrders } from './cli/order.js';
import { createRun } from './cli/run.js';
import { createStatus } from './cli/status.js';
import { createSupportBundle } from './cli/support-bundle.js';
import { createValidate } from './cli/validate.js';
import { createWatch } from './cli/watch.js';

const io = processIo();
const verbs = {
  demo: createDemo(io, process.stdin),
  validate: createValidate(io, process.stdin),
  plan: createPlan(io),
  apply: createApply(io),
  run: createRun(io),
  status: createStatus(io),
  explain: createExplain(io),
  watch: createWatch(io),
  ...createOrders(io),
  'support-bundle': createSupportBundle(io),
};
process.exitCode = await runProgram(process.argv.slice(2), verbs, io);
