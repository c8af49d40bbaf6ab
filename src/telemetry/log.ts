/**
 * The log: one line per transition, on standard error, as JSON or for people. Time comes from the injected clock.
 * Invariants: nothing under a key that names a secret is ever written, and a reader that stalls or is gone costs lines,
 * never the janitor's pace (SPEC §8, §9).
 */
import { destination, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { type Clock, isoTime } from '../clock.js';

type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
  /** The same log with these fields in each line, for instance the round. */
  child(fields: Fields): Log;
}

export interface LogOptions {
  readonly clock: Clock;
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly format: 'json' | 'pretty';
  /** Colours, in the pretty format. */
  readonly colour: boolean;
  /** Where lines go; standard error when absent. */
  readonly write?: (line: string) => void;
}

/** Fields for programs, which a problem's message says already: people do not read them twice. */
const inMessage = 'code,severity,place,transition';
const sinkBytes = 1024 * 1024;

/** `flush` writes what is still buffered; call it before the process exits. */
export function createLog(options: LogOptions): Log & { flush(): void } {
  const sink =
    options.write === undefined ? standardError() : { write: options.write, flush: () => undefined };
  const pretty =
    options.format === 'pretty'
      ? prettyFactory({
          colorize: options.colour,
          timestampKey: 'time',
          translateTime: false,
          singleLine: true,
          ignore: inMessage,
        })
      : (line: string) => line;
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${isoTime(options.clock.wall())}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => withoutSecrets(fields),
      },
    },
    { write: (line: string) => sink.write(pretty(line)) },
  );
  return Object.assign(narrow(log), { flush: () => sink.flush() });
}

type Levels = Pick<ReturnType<typeof pino>, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

function narrow(log: Levels): Log {
  return {
    debug: (fields, message) => log.debug(fields, oneLine(message)),
    info: (fields, message) => log.info(fields, oneLine(message)),
    warn: (fields, message) => log.warn(fields, oneLine(message)),
    error: (fields, message) => log.error(fields, oneLine(message)),
    child: (fields) => narrow(log.child(withoutSecrets(fields))),
  };
}

function standardError(): { write(line: string): void; flush(): void } {
  const stream = destination({ dest: 2, sync: false, maxLength: sinkBytes });
  stream.on('error', () => undefined);
  return {
    write: (line) => void stream.write(line),
    flush() {
      try {
        stream.flushSync();
      } catch {
        // The reader is gone or full: there is nobody to tell.
      }
    },
  };
}

/** Messages quote other people's text: no control character of it may forge a line or steer a terminal. */
function oneLine(message: string): string {
  return message.replaceAll(/[\p{Cc}\u2028\u2029]/gu, '?');
}

/** The same fields with `[hidden]` under every key that names a secret, at any depth that a log line has. */
function withoutSecrets(fields: object, depth = 0): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]: [string, unknown]) => {
      if (/password|passwd|secret|authorization|token/i.test(key)) return [key, '[hidden]'];
      const plain =
        typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
      return [key, plain && depth < 5 ? withoutSecrets(value, depth + 1) : value];
    }),
  );
}
