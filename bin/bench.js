#!/usr/bin/env node
import { runApp } from './run-app.js';

await runApp('bench', '../bench/main.ts');
