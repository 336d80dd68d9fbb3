#!/usr/bin/env node
import { runApp } from './run-app.js';

await runApp('street', '../src/apps/street/main.ts');
