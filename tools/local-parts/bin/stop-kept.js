#!/usr/bin/env node
// Stops parts that were kept running: stop-kept.js FOLDER, the folder that was said when they were kept.
import { PartsError, stopKept } from '../dist/index.js';

try {
  await stopKept(process.argv[2] ?? '.');
  console.log('Kafka and PostgreSQL are stopped, and their folders removed.');
} catch (error) {
  if (!(error instanceof PartsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
