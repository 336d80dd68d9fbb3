#!/usr/bin/env node
import { runApp } from './run-app.js';

await runApp('p2p-cli', '../src/apps/cli/main.ts');
