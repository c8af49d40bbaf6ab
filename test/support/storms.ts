/** What happens to the whole program in a storm: edits, typos, restarts of both sides, lost answers, foreign hands. */
import fc from 'fast-check';
import type { AppRig } from './app-rig.js';

export const services = ['a', 'b', 'c'] as const;
const words = [
  '80/tcp-:1080',
  '80/tcp-:1443',
  '443/tcp-:1443',
  '443/tcp-:1080',
  '443/tcp-127.0.0.1:1443',
  '80/tcp-127.0.0.2:1080',
  '53/udp-:1053',
  '80/tcp-:2080',
  '80/tcp',
  '22/tcp-127.0.0.1',
  '8o/tcp',
  '443/tcp-',
] as const;

const put = fc.record(
  {
    op: fc.constant('put' as const),
    service: fc.constantFrom(...services),
    bind: fc.subarray([...words], { maxLength: 4 }),
    more: fc.constantFrom<Record<string, string>>(
      {},
      {},
      {},
      { balance: 'iphash' },
      { balance: 'none' },
      { target_lb: 'n2' },
    ),
  },
  { noNullPrototype: true },
);
const simple = fc.record(
  {
    op: fc.constantFrom(
      'restart-janitor' as const,
      'restart-gobetween' as const,
      'down' as const,
      'traffic' as const,
      'calm' as const,
      'lose-post' as const,
      'lose-delete' as const,
      'drop-post' as const,
      'erase' as const,
      'mutate' as const,
      'remove' as const,
      'squat' as const,
    ),
    service: fc.constantFrom(...services),
  },
  { noNullPrototype: true },
);
export const step = fc.record(
  {
    act: fc.oneof({ weight: 3, arbitrary: put }, { weight: 1, arbitrary: simple }),
    ms: fc.constantFrom(3, 30, 300, 1500, 7000),
  },
  { noNullPrototype: true },
);
export type Act =
  | { op: 'put'; service: string; bind: string[]; more: Record<string, string> }
  | { op: Exclude<string, 'put'>; service: string; bind?: never; more?: never };

export async function perform(rig: AppRig, act: Act): Promise<void> {
  const names = [...rig.balancer.servers.keys()].filter((name) => name.includes(`.${act.service}.root.`));
  switch (act.op) {
    case 'put':
      return rig.put(act.service, (act.bind ?? []).join(' '), act.more);
    case 'restart-janitor':
      return rig.restart();
    case 'restart-gobetween':
      return rig.balancer.restart();
    case 'down':
      rig.balancer.down(true);
      await rig.advance(4000);
      return rig.balancer.down(false);
    case 'traffic':
      for (const name of names) rig.balancer.traffic.set(name, 10);
      return;
    case 'calm':
      return rig.balancer.traffic.clear();
    case 'lose-post':
      return rig.balancer.fail('POST', 'timeout', { acts: true });
    case 'drop-post':
      return rig.balancer.fail('POST', 'timeout', { acts: false });
    case 'lose-delete':
      return rig.balancer.fail('DELETE', 'timeout', { acts: true });
    case 'erase':
      for (const name of names.slice(0, 1)) rig.balancer.servers.delete(name);
      return;
    case 'mutate':
      for (const name of names.slice(0, 1)) {
        const body = JSON.parse(rig.balancer.servers.get(name) ?? '{}') as object;
        rig.balancer.servers.set(name, JSON.stringify({ ...body, max_connections: 7 }));
      }
      return;
    case 'squat':
      rig.balancer.occupied.add({ proto: 'tcp', addr: '127.0.0.1', port: act.service === 'a' ? 1443 : 1080 });
      return;
    case 'remove':
      if (!rig.source.services.has(act.service)) return;
      rig.source.handlers?.onDeleting(`root/svc/${act.service}` as never);
      return rig.source.remove(act.service);
    default:
      throw new Error(act.op);
  }
}
