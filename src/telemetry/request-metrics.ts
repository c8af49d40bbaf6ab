/**
 * Requests to GoBetween and to the agent: how long they take by what is asked, and what they come to. Invariant: a histogram
 * has no label for the outcome, or a scrape would be twice as large.
 */
import {
  type AgentAction,
  type ApiOp,
  type ApiOutcome,
  agentActions,
  agentOutcomes,
  bounded,
  opsOfOutcome,
} from './labels.js';
import type { Registrar } from './registrar.js';

export interface RequestMetrics {
  apiRequest(op: ApiOp, outcome: ApiOutcome, ms: number): void;
  /** `outcome` is `ok` or the failure's code. */
  agentRequest(action: AgentAction, outcome: string, ms: number): void;
}

const seconds = [0.002, 0.01, 0.05, 0.25, 1, 5];

export function declareRequestMetrics({ counter, histogram }: Registrar): RequestMetrics {
  const api = histogram('gobtw_janitor_api_request_seconds', 'Time of requests to GoBetween', seconds, [
    'op',
  ]);
  for (const op of opsOfOutcome.ok) api.zero({ op });
  const apiOutcomes = counter(
    'gobtw_janitor_api_requests_total',
    'Requests to GoBetween by what they came to',
    ['op', 'outcome'],
  );
  for (const [outcome, ops] of Object.entries(opsOfOutcome))
    for (const op of ops) apiOutcomes.inc({ op, outcome }, 0);
  const agent = histogram('gobtw_janitor_agent_request_seconds', 'Time of requests to the agent', seconds, [
    'action',
  ]);
  const agentOutcome = counter(
    'gobtw_janitor_agent_requests_total',
    'Requests to the agent by what they came to',
    ['action', 'outcome'],
  );
  for (const action of agentActions) {
    agent.zero({ action });
    for (const outcome of agentOutcomes) agentOutcome.inc({ action, outcome }, 0);
  }
  return {
    apiRequest(op, outcome, ms) {
      api.observe({ op }, ms / 1000);
      apiOutcomes.inc({ op, outcome });
    },
    agentRequest(action, outcome, ms) {
      agent.observe({ action }, ms / 1000);
      agentOutcome.inc({ action, outcome: bounded(agentOutcomes, outcome.replace(/^agent-/, '')) });
    },
  };
}
