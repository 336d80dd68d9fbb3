#!/usr/bin/env node
import { runApp } from './run-app.js';

await runApp('p2p-audit', '../src/apps/audit/main.ts');
