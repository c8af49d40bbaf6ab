/**
 * Every setting, once: its flag, variable, default, doc and parser. The command line, the environment, the typed
 * Settings and README's table are made from this table, so none of them can disagree with another (SPEC §10).
 */
import { own } from './own.js';
import { peers } from './peers.js';
import type { Setting } from './row.js';

export const table = { ...peers, ...own } as const;

export type SettingName = keyof typeof table;
type ValueOf<S> = S extends Setting<infer T> ? T : never;
/** One value for each row, as parsed or as its default. */
export type RowValues = { readonly [N in SettingName]: ValueOf<(typeof table)[N]> };

export const rows = Object.entries(table) as readonly (readonly [SettingName, Setting<unknown>])[];
