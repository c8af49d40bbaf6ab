/** The write-back of allocated ports as the app has it: read again from the agent, written to it, told to the operator. */
import type { Clock } from './clock.js';
import { ok } from './errors.js';
import { fillBind } from './model/bind.js';
import type { Problem } from './model/problem.js';
import { displayPath } from './model/service.js';
import { createWriteBack, type WriteBack } from './ports/write-back.js';
import type { Random } from './random.js';
import type { Informer } from './source/informer.js';
import type { Source } from './source/source.js';
import type { ChangeLog } from './telemetry/change-log.js';
import type { Metrics } from './telemetry/metrics.js';
import { rawBind } from './written-ports.js';

export function createWritingBack(deps: {
  readonly clock: Clock;
  readonly random: Random;
  /** Neither the policy nor a setting forbids it. */
  readonly allowed: () => boolean;
  readonly source: Pick<Source, 'setBind'>;
  readonly informer: Pick<Informer, 'refreshRaw'>;
  readonly metrics: Pick<Metrics, 'writeBack'>;
  readonly note: ChangeLog['note'];
  readonly report: (scope: string, problems: readonly Problem[]) => void;
}): WriteBack {
  const { metrics } = deps;
  return createWriteBack({
    clock: deps.clock,
    random: deps.random,
    allowed: deps.allowed,
    readRaw: async (key) => {
      const read = await deps.informer.refreshRaw(key);
      return read.ok ? ok(rawBind(read.value)) : read;
    },
    fill: fillBind,
    write: (key, value) => deps.source.setBind(key, value),
    onProblem: (key, problem) => deps.report(`${key} write-back`, problem === null ? [] : [problem]),
    onWritten(key, value) {
      metrics.writeBack('written');
      const service = displayPath(key);
      deps.note({ kind: 'write-back', name: service, fields: { service, bind: value } });
    },
    onNotWritten: (_key, result) => metrics.writeBack(result),
  });
}
