/**
 * The seam to the worker threads: batches of pure jobs in, plain data out (DESIGN §5.2). This version runs them inline on
 * the calling thread; a pool gives the same answers, because the functions keep no state.
 */
import type { CompileContext, Compiled } from '../model/spec.js';
import { type CompileInput, compile } from './compile.js';
import { type RenderJob, type Rendered, render } from './render.js';

export interface Compute {
  compile(inputs: readonly CompileInput[], context: CompileContext): Promise<readonly Compiled[]>;
  render(jobs: readonly RenderJob[]): Promise<readonly Rendered[]>;
}

export function createInlineCompute(): Compute {
  return {
    compile: async (inputs, context) => inputs.map((input) => compile(input, context)),
    render: async (jobs) => jobs.map(render),
  };
}
