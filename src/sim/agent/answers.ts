/**
 * What a handler gives back, and the error bodies of the raw socket, as recorded (test/fixtures/opensvc-v2). There is no
 * error channel: a client must look for `error` in the body.
 */
export type Body = Readonly<Record<string, unknown>> | readonly unknown[];

/** `body` is answered; the others end the connection in their own way. */
export type Answer =
  | { readonly kind: 'body'; readonly body: Body }
  | { readonly kind: 'cut'; readonly body: Body }
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent' };

export const body = (value: Body): Answer => ({ kind: 'body', body: value });

export const INVALID_FORMAT: Body = { error: 'invalid data format', status: 1 };
export const NO_ACTION: Body = { error: 'action not specified', status: 1 };
export const UNKNOWN_SERVICE: Body = { error: 'unknown service', status: 1 };

export const notSupported = (method: string | null, action: string): Body => ({
  status: 501,
  error: `handler ${method ?? 'None'} ${action} is not supported`,
});

export const httpError = (status: number, error: string): Body => ({ status, error });

export function internal(message: string): Body {
  const traceback =
    'Traceback (most recent call last):\n  File "$ROOT/opensvc/daemon/listener.py", line 1542, in handle_raw_client_data\n' +
    `    result = self.router(nodename, data)\nTypeError: ${message}\n`;
  return { status: 500, error: message, traceback };
}

/** A config read that raised: the status is a string. */
export function configError(message: string, raised: 'KeyError' | 'Error'): Body {
  const traceback =
    'Traceback (most recent call last):\n  File "$ROOT/opensvc/daemon/handlers/object/config/get.py", line 74, in ' +
    '_object_config_json\n    return shared.SERVICES[path].print_config_data(evaluate=evaluate, impersonate=impersonate)\n' +
    `${raised}: ${message}\n`;
  return { status: '1', error: message, traceback };
}
