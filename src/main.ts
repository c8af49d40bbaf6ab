#!/usr/bin/env node
/** The program: arguments and environment in, exit code out. */
import { processIo } from './cli/io.js';
import { runProgram } from './cli/program.js';
import { createValidate } from './cli/validate.js';

const io = processIo();
process.exitCode = await runProgram(process.argv.slice(2), { validate: createValidate(io) }, io);
