import type { ResolveQuarantineHandler, UnitOfWork } from '@v402/application';
import { loadConfig } from '@v402/config';

/** Opens the operators' use cases for one action. */
export async function withOperations<T>(act: (handler: ResolveQuarantineHandler) => Promise<T>): Promise<T> {
  await import('reflect-metadata');
  const { openOperations } = await import('@v402/roles');
  const operations = openOperations(process.env);
  try {
    return await act(operations.handler);
  } finally {
    await operations.close();
  }
}

/** Opens the database of operators for reading. */
export async function withOperatorDatabase<T>(
  reader: 'v402 quarantine' | 'v402 audit',
  read: (unitOfWork: UnitOfWork) => Promise<T>,
): Promise<T> {
  const { V402_OPERATOR_DATABASE_URL: url } = loadConfig(process.env, [reader]);
  const { PgUnitOfWork } = await import('@v402/persistence');
  const unitOfWork = new PgUnitOfWork({ url, applicationName: 'v402 operator', maxConnections: 1 });
  try {
    return await read(unitOfWork);
  } finally {
    await unitOfWork.close();
  }
}
