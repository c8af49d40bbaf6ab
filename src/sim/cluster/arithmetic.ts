/**
 * The arithmetic of `$(…)` in configs: numbers, parentheses and + - * / // % ** as Python computes them. Anything else
 * is an error, as in the agent for the operands that it does not know.
 */
export interface Computed {
  readonly value: number;
  /** Python would print a decimal point. */
  readonly float: boolean;
}

/** Throws `Error` with the agent's wording when the expression cannot be computed. */
export function compute(expression: string): Computed {
  const tokens = expression.match(/\d+\.?\d*|\.\d+|\*\*|\/\/|[-+*/%()]|\S/g) ?? [];
  let at = 0;
  const take = (...wanted: string[]): string | undefined => {
    const token = tokens[at];
    if (token === undefined || !wanted.includes(token)) return undefined;
    at += 1;
    return token;
  };

  function sum(): Computed {
    let left = product();
    for (let op = take('+', '-'); op !== undefined; op = take('+', '-')) {
      const right = product();
      const value = op === '+' ? left.value + right.value : left.value - right.value;
      left = { value, float: left.float || right.float };
    }
    return left;
  }

  function product(): Computed {
    let left = unary();
    for (let op = take('*', '/', '//', '%'); op !== undefined; op = take('*', '/', '//', '%')) {
      const right = unary();
      if (op !== '*' && right.value === 0) throw new Error('division by zero');
      const float = left.float || right.float;
      if (op === '*') left = { value: left.value * right.value, float };
      else if (op === '/') left = { value: left.value / right.value, float: true };
      else if (op === '//') left = { value: Math.floor(left.value / right.value), float };
      else left = { value: left.value - right.value * Math.floor(left.value / right.value), float };
    }
    return left;
  }

  function unary(): Computed {
    if (take('-') === undefined) return power();
    const operand = unary();
    return { value: -operand.value, float: operand.float };
  }

  function power(): Computed {
    const base = atom();
    if (take('**') === undefined) return base;
    const exponent = unary();
    return { value: base.value ** exponent.value, float: base.float || exponent.float || exponent.value < 0 };
  }

  function atom(): Computed {
    if (take('(') !== undefined) {
      const inner = sum();
      if (take(')') === undefined) throw new Error('unexpected EOF while parsing (<unknown>, line 1)');
      return inner;
    }
    const token = tokens[at];
    if (token === undefined || !/^[\d.]/.test(token)) throw new Error('invalid syntax (<unknown>, line 1)');
    at += 1;
    return { value: Number(token), float: token.includes('.') };
  }

  const result = sum();
  if (at < tokens.length) throw new Error('invalid syntax (<unknown>, line 1)');
  return result;
}

/** As Python's `str()` prints it. */
export function printComputed({ value, float }: Computed): string {
  return float && Number.isInteger(value) ? `${value}.0` : String(value);
}
