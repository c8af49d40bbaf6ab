/** Writes the committed files of this folder: `npm run grafana`. A test compares them with what the code would write. */
import { writeFileSync } from 'node:fs';
import { alerts } from './alerts.js';
import { dashboards } from './dashboards.js';
import { dashboardFile, rulesFile, runbookFile } from './documents.js';

const folder = new URL('../../grafana/', import.meta.url);
writeFileSync(new URL('alerts.yml', folder), rulesFile(alerts));
writeFileSync(new URL('RUNBOOK.md', folder), runbookFile(alerts));
for (const [name, builder] of dashboards) writeFileSync(new URL(name, folder), dashboardFile(builder));
