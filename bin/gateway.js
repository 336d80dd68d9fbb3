#!/usr/bin/env node
import { runApp } from './run-app.js';

await runApp('gateway', '../src/apps/gateway/main.ts');
