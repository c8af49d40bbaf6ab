/**
 * The health check of a service's servers, from its keywords. Invariant: what comes out is complete for its kind and
 * within what GoBetween survives: a probe without a length, or exec without a command, would end its process.
 */
import { parseDuration } from './duration.js';
import { checkGoRegexp } from './go-regexp.js';
import { unquote } from './go-string.js';
import type { KeywordValues } from './keywords.js';
import type { Report } from './report.js';
import type { L4 } from './server.js';

const prefix = 'igw_gobtw_healthcheck_';

/** The health check of a tcp or udp word, as GET would show it. Problems are reported once, by `checkHealthcheck`. */
export function healthcheckOf(values: KeywordValues, proto: L4): Readonly<Record<string, unknown>> {
  const asked = values.igw_gobtw_healthcheck_kind ?? (proto === 'udp' ? 'none' : 'ping');
  const kind = asked === 'ping' && proto === 'udp' ? 'none' : asked;
  const common = {
    kind,
    interval: values.igw_gobtw_healthcheck_interval ?? '2s',
    timeout: values.igw_gobtw_healthcheck_timeout ?? '500ms',
    fails: values.igw_gobtw_healthcheck_fails ?? 1,
    passes: values.igw_gobtw_healthcheck_passes ?? 1,
    initial_status: values.igw_gobtw_healthcheck_initial_status ?? null,
  };
  if (kind === 'probe') {
    const strategy = values.igw_gobtw_healthcheck_probe_strategy ?? 'starts_with';
    return {
      ...common,
      probe_protocol: values.igw_gobtw_healthcheck_probe_protocol ?? proto,
      probe_strategy: strategy,
      probe_send: unquoted(values.igw_gobtw_healthcheck_probe_send),
      probe_recv:
        strategy === 'regexp'
          ? values.igw_gobtw_healthcheck_probe_recv
          : unquoted(values.igw_gobtw_healthcheck_probe_recv),
      probe_recv_len: strategy === 'regexp' ? (values.igw_gobtw_healthcheck_probe_recv_len ?? 0) : 0,
    };
  }
  if (kind === 'exec') {
    return {
      ...common,
      exec_command: values.igw_gobtw_healthcheck_exec_command ?? '',
      exec_expected_positive_output: values.igw_gobtw_healthcheck_exec_expected_positive_output ?? '',
      exec_expected_negative_output: values.igw_gobtw_healthcheck_exec_expected_negative_output ?? '',
    };
  }
  return common;
}

/** What GoBetween makes of a text with escapes; the readers let through only what it can unquote. */
function unquoted(text = ''): string {
  return unquote(text) ?? '';
}

/** What the health-check keywords must agree on (SPEC §3). */
export function checkHealthcheck(values: KeywordValues, protos: ReadonlySet<L4>, report: Report): void {
  const asked = values.igw_gobtw_healthcheck_kind;
  if (asked === 'ping' && protos.has('udp')) {
    report.warn({
      code: 'forced-default',
      place: `${prefix}kind`,
      message: 'GoBetween cannot ping a udp backend, so udp words have no health check',
      mend: 'write none or probe, or leave the keyword out',
    });
  }
  if (asked === 'probe') checkProbe(values, report);
  if (asked === 'exec' && values.igw_gobtw_healthcheck_exec_command === undefined) {
    report.spoil({
      code: 'bad-keyword',
      place: `${prefix}exec_command`,
      message: 'a health check of kind exec wants a command',
      mend: `set ${prefix}exec_command, or another kind`,
    });
  }
  const checked = asked === undefined || asked === 'ping' ? protos.has('tcp') : asked !== 'none';
  if (checked) checkTimeout(values, report);
}

function checkTimeout(values: KeywordValues, report: Report): void {
  const timeout = values.igw_gobtw_healthcheck_timeout ?? '500ms';
  const interval = values.igw_gobtw_healthcheck_interval ?? '2s';
  const message =
    timeout === '0'
      ? 'with 0 a check that hangs is never given up (a command is killed at once)'
      : (parseDuration(timeout) ?? 0n) >= (parseDuration(interval) ?? 0n)
        ? `a check may take ${timeout}, as long as the interval of ${interval} or longer, so checks overlap`
        : null;
  if (message === null) return;
  report.warn({
    code: 'hc-timeout',
    place: `${prefix}timeout`,
    message,
    mend: `set ${prefix}timeout below the interval, for instance to 500ms`,
  });
}

function checkProbe(values: KeywordValues, report: Report): void {
  const wrong = (place: string, message: string, mend: string): void =>
    report.spoil({ code: 'bad-keyword', place: `${prefix}${place}`, message, mend });
  const recv = values.igw_gobtw_healthcheck_probe_recv;
  const length = values.igw_gobtw_healthcheck_probe_recv_len ?? 0;
  if (values.igw_gobtw_healthcheck_probe_send === undefined) {
    wrong(
      'probe_send',
      'a probe wants something to send',
      `set ${prefix}probe_send, for instance to PING\\r\\n`,
    );
  }
  if (recv === undefined) {
    wrong(
      'probe_recv',
      'a probe wants an answer to expect',
      `set ${prefix}probe_recv, for instance to +PONG`,
    );
  } else if (values.igw_gobtw_healthcheck_probe_strategy === 'regexp') {
    const refused = checkGoRegexp(recv);
    if (refused !== null)
      wrong('probe_recv', `as a Go regular expression, ${refused}`, 'write an expression that Go compiles');
    if (length === 0)
      wrong(
        'probe_recv_len',
        'a regexp probe wants to know how many bytes to read',
        `set ${prefix}probe_recv_len`,
      );
  } else {
    if (unquote(recv) === null) {
      wrong(
        'probe_recv',
        'it is no text with Go escapes, or stands for bytes that are no UTF-8 text',
        'write for instance +PONG\\r\\n',
      );
    }
    if (length > 0) {
      wrong(
        'probe_recv_len',
        'the strategy starts_with reads as many bytes as it expects',
        `remove ${prefix}probe_recv_len`,
      );
    }
  }
}
