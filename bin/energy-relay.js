#!/usr/bin/env node
import { runApp } from './run-app.js';

await runApp('energy-relay', '../src/apps/relay/main.ts');
