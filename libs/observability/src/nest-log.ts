import { Logger as NestPinoLogger, PinoLogger } from 'nestjs-pino';
import type { LoggerService } from '@nestjs/common';
import type { Logger } from './log.js';

/** Hands NestJS's own lines to the same log. */
export function nestLog(log: Logger): LoggerService {
  return new NestPinoLogger(new PinoLogger({ pinoHttp: { logger: log } }), {});
}
