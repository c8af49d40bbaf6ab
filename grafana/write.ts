/** Writes the committed files of this folder: `npm run grafana`. A test compares them with what the code would write. */
import { writeFileSync } from 'node:fs';
import { alerts } from './alerts.js';
import { rulesFile, runbookFile } from './documents.js';

const folder = new URL('../../grafana/', import.meta.url);
writeFileSync(new URL('alerts.yml', folder), rulesFile(alerts));
writeFileSync(new URL('RUNBOOK.md', folder), runbookFile(alerts));
