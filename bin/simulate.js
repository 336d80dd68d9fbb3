#!/usr/bin/env node
import { runApp } from './run-app.js';

await runApp('simulate', '../src/apps/simulate/main.ts');
