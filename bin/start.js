#!/usr/bin/env node
import { runApp } from './run-app.js';

await runApp('start', '../src/apps/start/main.ts');
