#!/usr/bin/env node
import { runApp } from './run-app.js';

await runApp('engine', '../src/apps/engine/main.ts');
